"""The settings of the books domain, which its subgraph and the workers read from their environment."""

from __future__ import annotations

from pydantic import Field, SecretStr

from subgraphs.common.settings import DomainSettings, Port


class Settings(DomainSettings):
    """The settings that all domains have, and those that only books has."""

    port: Port = Field(default=3002, validation_alias="book_service_port")
    postgres_password: SecretStr = Field(default=SecretStr(""), validation_alias="books_postgres_password")
