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


DOMAIN = Domain("orders", Settings)
