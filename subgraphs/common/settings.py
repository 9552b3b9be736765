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


_SECRETS = {
    "auth": ("auth_signing_key_file", "service_token"),
    "books": ("file_signing_key", "service_token"),
    "worker": ("file_signing_key", *(f"{domain}_postgres_password" for domain in DOMAINS)),
}
"""What only some processes know beside the passwords that every one has."""

_SHORTEST_SECRET = 16
_NO_SECRET = f"production needs a secret of at least {_SHORTEST_SECRET} characters here"


def secrets_of(process: str) -> tuple[str, ...]:
    """The settings that hold the secrets of a domain's subgraph, or of a worker."""
    own = () if process == "worker" else (f"{process}_postgres_password",)
    return (*own, "redis_password", *_SECRETS.get(process, ("service_token",)))


def _is_secret(value: SecretStr | Path | None) -> bool:
    if isinstance(value, SecretStr):
        return len(value.get_secret_value()) >= _SHORTEST_SECRET
    return value is not None


class Settings(BaseSettings):
    """Everything a subgraph or worker reads from its environment; names as in `.env.example`."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    environment: Literal["development", "production"] = "development"
    subgraph_host: str = Field(default="127.0.0.1", description="The address that the subgraphs listen on.")
    service_token: SecretStr = Field(
        default=SecretStr(""), description="What a caller of a subgraph must know; empty, anybody may call."
    )
    metrics_host: str = Field(default="127.0.0.1", description="The address that /metrics listens on.")
    metrics_port: Port | None = Field(
        default=None, description="Its port; unset, the process's own plus 1000."
    )
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

    ai_generations_per_parent: Annotated[int, Field(ge=1, le=100)] = Field(
        default=3, description="How many generations of one parent may wait or run at a time."
    )

    offline_print_step_seconds: Annotated[float, Field(ge=0)] = 1.0
    offline_words_per_second: Annotated[float, Field(gt=0)] = 60.0

    worker_metrics_port: Port | None = None

    @classmethod
    def load(cls, process: str) -> Self:
        """Read the environment of a process: a domain's subgraph, or a worker.

        A bad value, or in production a secret that is none, ends the process with a message that names each
        variable.
        """
        try:
            settings = cls()
        except ValidationError as error:
            lines = [
                f"{'.'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
                for problem in error.errors(include_input=False)
            ]
        else:
            lines = [f"{name}: {_NO_SECRET}" for name in settings.missing_secrets(process)]
        if lines:
            sys.exit("The environment is not valid.\n  " + "\n  ".join(lines))
        return settings

    def missing_secrets(self, process: str) -> list[str]:
        """The secrets that this process needs in production, and that are not set to anything secret."""
        if self.environment != "production":
            return []
        return [name.upper() for name in secrets_of(process) if not _is_secret(getattr(self, name))]

    def port(self, domain: str) -> int:
        """The port that this domain's subgraph listens on."""
        return int(getattr(self, PORT_SETTINGS[domain].lower()))

    def metrics_port_of(self, domain: str) -> int:
        """The port that this domain's subgraph serves its metrics on."""
        return self.metrics_port or self.port(domain) + 1000

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
