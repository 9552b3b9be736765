"""The settings of a process, which are read from the environment and checked at the start."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from urllib.parse import quote

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

Port = Annotated[int, Field(ge=1, le=65535)]


def _remove_placeholder(key: SecretStr) -> SecretStr:
    """Replace a placeholder, which would be taken for a key, by an empty key."""
    return SecretStr("") if key.get_secret_value() == "your_key_here" else key


ApiKey = Annotated[SecretStr, AfterValidator(_remove_placeholder)]


def _require_certificates(path: Path) -> Path:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except OSError as error:
        raise ValueError("the file has no certificates that can be read") from error
    return path


CaFile = Annotated[Path, AfterValidator(_require_certificates)]

_MIN_SECRET_LENGTH = 16
# Pydantic puts it before the messages of our own validators.
_OWN_ERROR = "Value error, "
_NO_SECRET = f"production needs a secret of at least {_MIN_SECRET_LENGTH} characters here"

SettingsType = TypeVar("SettingsType", bound="Settings")


class InvalidSettings(Exception):
    """Some settings are not valid; `problems` names each variable and what is wrong with it."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Settings(BaseSettings):
    """The settings of all subgraphs and workers, described in `.env.example`; empty values count as unset."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, env_ignore_empty=True
    )

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

    postgres_host: str = "127.0.0.1"
    postgres_port: Port = 5432
    postgres_db: str = "memorable"
    postgres_pool_size: Annotated[int, Field(ge=2, le=1000)] = Field(
        default=8, description="How many connections a process may have to the schema of one domain."
    )

    redis_host: str = "127.0.0.1"
    redis_port: Port = 6379
    redis_password: SecretStr = SecretStr("")
    redis_db: Annotated[int, Field(ge=0)] = 0

    jwt_issuer: str = "memorable"
    jwks_url: str = Field(default="", description="Where the keys that sign access tokens are published.")
    graph_url: str = ""
    outgoing_ca_file: CaFile | None = Field(
        default=None, description="CA certificates to trust in other services, instead of the system's."
    )

    public_url: str = Field(
        default="", description="The address at which clients reach the router; unset, API_PORT of localhost."
    )
    storage_url: Annotated[str, Field(pattern="^(file|s3)://.")] = (
        f"file://{Path.cwd() / '.memorable' / 'files'}"
    )
    file_signing_key: SecretStr = SecretStr("")

    worker_metrics_port: Port | None = None
    worker_drain_seconds: Annotated[float, Field(ge=0)] = Field(
        default=60, description="How long a worker that is to end may finish what it has begun."
    )
    message_retention_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        default=30, description="For how long handled messages are kept."
    )
    live_retention_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        default=1, description="For how long live streams are kept; later their events come from rows."
    )

    @classmethod
    def get_variable(cls, field: str) -> str:
        """Return the environment variable that a field is read from."""
        return str(cls.model_fields[field].validation_alias or field).upper()

    def find_missing_secrets(self, fields: Iterable[str]) -> list[str]:
        """List the variables of those fields that production requires and that are too short to be secret."""
        if self.environment != "production":
            return []
        return [self.get_variable(field) for field in fields if not _is_secret(getattr(self, field))]

    @property
    def redis_url(self) -> str:
        """The URL of Redis, with the password if one is set."""
        password = self.redis_password.get_secret_value()
        login = f":{quote(password, safe='')}@" if password else ""
        return f"redis://{login}{self.redis_host}:{self.redis_port}/{self.redis_db}"

    @property
    def files_url(self) -> str:
        """The base URL of the signed URLs of files."""
        return f"{(self.public_url or f'http://localhost:{self.api_port}').rstrip('/')}/files"

    @property
    def graph_address(self) -> str:
        """The public GraphQL endpoint, as this process reaches it."""
        return self.graph_url or f"http://127.0.0.1:{self.api_port}/graphql"


class DomainSettings(Settings):
    """The settings of a domain, for its subgraph and for workers.

    Each domain derives its own class, with its variables for these two fields and further fields.
    """

    port: Port
    postgres_password: SecretStr = SecretStr("")

    @property
    def subgraph_metrics_port(self) -> int:
        """The port that the domain's subgraph serves its metrics on."""
        return self.metrics_port or self.port + 1000

    def build_database_url(self, role: str) -> str:
        """Build the SQLAlchemy URL of the database for the domain's own role."""
        password = quote(self.postgres_password.get_secret_value(), safe="")
        server = f"{self.postgres_host}:{self.postgres_port}"
        return f"postgresql+asyncpg://{role}:{password}@{server}/{self.postgres_db}"


def read_settings(kind: type[SettingsType], secrets: Iterable[str]) -> SettingsType:
    """Read the environment; InvalidSettings for invalid values, and for secrets that production lacks."""
    try:
        settings = kind()
    except ValidationError as error:
        raise InvalidSettings(
            [
                f"{'.'.join(map(str, problem['loc'])).upper()}: {problem['msg'].removeprefix(_OWN_ERROR)}"
                for problem in error.errors(include_input=False)
            ]
        ) from error
    if missing := settings.find_missing_secrets(secrets):
        raise InvalidSettings([f"{name}: {_NO_SECRET}" for name in missing])
    return settings


def _is_secret(value: SecretStr | Path | None) -> bool:
    if isinstance(value, SecretStr):
        return len(value.get_secret_value()) >= _MIN_SECRET_LENGTH
    return value is not None
