"""The settings of the print domain, which its subgraph and the workers read from their environment."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr

from subgraphs.common.settings import DomainSettings, Port


class Settings(DomainSettings):
    """The settings that all domains have, and those that only print has."""

    port: Port = Field(default=3005, validation_alias="print_service_port")
    postgres_password: SecretStr = Field(default=SecretStr(""), validation_alias="print_postgres_password")
    offline_print_step_seconds: Annotated[float, Field(ge=0)] = 1.0
    offline_print_webhook_secret: SecretStr = Field(
        default=SecretStr(""), description="What signs offline webhooks; empty, none is accepted."
    )
