"""The manifest of the books domain."""

from __future__ import annotations

from pydantic import Field, SecretStr

from subgraphs.common.manifest import Domain
from subgraphs.common.settings import DomainSettings, Port


class Settings(DomainSettings):
    """What the books domain reads from its environment."""

    port: Port = Field(default=3002, validation_alias="book_service_port")
    postgres_password: SecretStr = Field(default=SecretStr(""), validation_alias="books_postgres_password")


DOMAIN = Domain(
    "books",
    Settings,
    secrets=("file_signing_key",),
    paths=("/files",),
)
