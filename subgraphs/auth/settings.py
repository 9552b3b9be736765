"""The settings of the auth domain, which its subgraph and the workers read from their environment."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from subgraphs.common.settings import DomainSettings, Port


class Settings(DomainSettings):
    """The settings that all domains have, and those that only auth has."""

    port: Port = Field(default=3001, validation_alias="auth_service_port")
    postgres_password: SecretStr = Field(default=SecretStr(""), validation_alias="auth_postgres_password")
    auth_signing_key_file: Path | None = Field(
        default=None, description="A PEM file with the ES256 private key that signs access tokens."
    )
