"""The manifest of the print domain."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr

from subgraphs.common.manifest import Domain
from subgraphs.common.settings import DomainSettings, Port


class Settings(DomainSettings):
    """What the print domain reads from its environment."""

    port: Port = Field(default=3005, validation_alias="print_service_port")
    postgres_password: SecretStr = Field(default=SecretStr(""), validation_alias="print_postgres_password")
    offline_print_step_seconds: Annotated[float, Field(ge=0)] = 1.0
    offline_print_webhook_secret: SecretStr = Field(
        default=SecretStr(""), description="What signs offline webhooks; empty, none is accepted."
    )


DOMAIN = Domain("print", Settings, paths=("/webhooks/offline-print",))
