"""The manifest of the orders domain."""

from __future__ import annotations

from pydantic import Field, SecretStr

from subgraphs.common.manifest import Domain
from subgraphs.common.settings import ApiKey, DomainSettings, Port


class Settings(DomainSettings):
    """What the orders domain reads from its environment."""

    port: Port = Field(default=3004, validation_alias="order_service_port")
    postgres_password: SecretStr = Field(default=SecretStr(""), validation_alias="orders_postgres_password")
    stripe_api_key: ApiKey = SecretStr("")
    offline_payments_webhook_secret: SecretStr = Field(
        default=SecretStr(""),
        description="What signs offline webhooks; empty, none is accepted.",
    )


DOMAIN = Domain("orders", Settings, paths=("/webhooks/offline-payments",))
