"""The manifest of the auth domain."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from subgraphs.common.manifest import Domain
from subgraphs.common.settings import DomainSettings, Port


class Settings(DomainSettings):
    """What the auth domain reads from its environment."""

    port: Port = Field(default=3001, validation_alias="auth_service_port")
    postgres_password: SecretStr = Field(default=SecretStr(""), validation_alias="auth_postgres_password")
    auth_signing_key_file: Path | None = Field(
        default=None, description="A PEM file with the ES256 private key that signs access tokens."
    )


DOMAIN = Domain(
    "auth",
    Settings,
    secrets=("auth_signing_key_file",),
    serves={"jwks_url": "http://127.0.0.1:{port}/.well-known/jwks.json"},
)
