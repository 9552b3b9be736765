"""Settings of a subgraph or worker, from the environment, checked at start."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import quote

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

DOMAINS = ("auth", "books", "ai", "orders", "print")
"""The five domains, in the order in which they are listed everywhere."""

PORT_SETTINGS = {
    "auth": "AUTH_SERVICE_PORT",
    "books": "BOOK_SERVICE_PORT",
    "ai": "AI_SERVICE_PORT",
    "orders": "ORDER_SERVICE_PORT",
    "print": "PRINT_SERVICE_PORT",
}

Port = Annotated[int, Field(ge=1, le=65535)]


def _unset_placeholder(key: SecretStr) -> SecretStr:
    """Treat the placeholder of the environment template as no key at all."""
    return SecretStr("") if key.get_secret_value() == "your_key_here" else key


ApiKey = Annotated[SecretStr, AfterValidator(_unset_placeholder)]


class Settings(BaseSettings):
    """Everything a subgraph or worker reads from its environment; names as in `.env.example`."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    environment: Literal["development", "production"] = "development"
    host: str = "127.0.0.1"
    log_level: Literal["debug", "info", "warn", "error"] = "info"

    api_port: Port = 3000
    auth_service_port: Port = 3001
    book_service_port: Port = 3002
    ai_service_port: Port = 3003
    order_service_port: Port = 3004
    print_service_port: Port = 3005

    postgres_host: str = "127.0.0.1"
    postgres_port: Port = 5432
    postgres_db: str = "memorable"
    auth_postgres_password: SecretStr = SecretStr("")
    books_postgres_password: SecretStr = SecretStr("")
    ai_postgres_password: SecretStr = SecretStr("")
    orders_postgres_password: SecretStr = SecretStr("")
    print_postgres_password: SecretStr = SecretStr("")

    redis_host: str = "127.0.0.1"
    redis_port: Port = 6379
    redis_password: SecretStr = SecretStr("")
    redis_db: Annotated[int, Field(ge=0)] = 0

    jwt_issuer: str = "memorable"
    jwks_url: str = ""
    graph_url: str = ""
    auth_signing_key_file: Path | None = None

    storage_url: str = f"file://{Path.cwd() / '.memorable' / 'files'}"
    files_url: str = ""
    file_signing_key: SecretStr = SecretStr("")

    openai_api_key: ApiKey = SecretStr("")
    openai_base_url: str = "https://api.openai.com/v1"
    openai_text_model: str = "gpt-5.4-mini"
    openai_image_model: str = "gpt-image-2"

    offline_print_step_seconds: Annotated[float, Field(ge=0)] = 1.0
    offline_words_per_second: Annotated[float, Field(gt=0)] = 60.0

    worker_metrics_port: Port | None = None

    @classmethod
    def load(cls) -> Self:
        """Read the environment; on a bad value end the process with a message that names each variable."""
        try:
            return cls()
        except ValidationError as error:
            lines = (
                f"{'.'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
                for problem in error.errors()
            )
            sys.exit("The environment is not valid.\n  " + "\n  ".join(lines))

    def port(self, domain: str) -> int:
        """The port that this domain's subgraph listens on."""
        return int(getattr(self, PORT_SETTINGS[domain].lower()))

    def database_url(self, domain: str) -> str:
        """The SQLAlchemy address of the database, as the domain's own role."""
        password = getattr(self, f"{domain}_postgres_password").get_secret_value()
        return (
            f"postgresql+asyncpg://memorable_{domain}:{quote(password, safe='')}"
            f"@{self.postgres_host}:{self.postgres_port}/{self.postgres_db}"
        )

    @property
    def redis_url(self) -> str:
        """The address of Redis, with its password where one is set."""
        password = self.redis_password.get_secret_value()
        login = f":{quote(password, safe='')}@" if password else ""
        return f"redis://{login}{self.redis_host}:{self.redis_port}/{self.redis_db}"

    @property
    def jwks_address(self) -> str:
        """Where the public signing keys are published."""
        return self.jwks_url or f"http://127.0.0.1:{self.auth_service_port}/.well-known/jwks.json"

    @property
    def graph_address(self) -> str:
        """The public GraphQL endpoint, as this process reaches it."""
        return self.graph_url or f"http://127.0.0.1:{self.api_port}/graphql"

    @property
    def files_address(self) -> str:
        """The address below which signed file URLs are served."""
        return self.files_url or f"http://localhost:{self.book_service_port}/files"
