"""The settings of the orders domain, which its subgraph and the workers read from their environment."""

from __future__ import annotations

from pydantic import Field, SecretStr

from subgraphs.common.settings import DomainSettings, Port


class Settings(DomainSettings):
    """The settings that all domains have, and those that only orders has."""

    port: Port = Field(default=3004, validation_alias="order_service_port")
    postgres_password: SecretStr = Field(default=SecretStr(""), validation_alias="orders_postgres_password")
    offline_payments_webhook_secret: SecretStr = Field(
        default=SecretStr(""),
        description="What signs offline webhooks; empty, none is accepted.",
    )
