"""The router's settings, read from the environment and from a configuration file."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeVar

from pydantic import (
    BeforeValidator,
    Field,
    HttpUrl,
    RedisDsn,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from router.config.connections import Connections
from router.config.file import ConfigFile, InvalidConfigFile
from router.config.header_rules import HeaderRule, SetValue
from router.config.traffic import Traffic

CONFIG_VARIABLE = "ROUTER_CONFIG"
METRICS_PORT_OFFSET = 1000
PORTS = 65536
YEAR_SECONDS = 31_536_000
SERVICE_TOKEN_HEADER = "x-memorable-service-token"  # noqa: S105 - the header's name
MIN_SECRET_CHARACTERS = 16
# Error messages do not quote their values.
MAY_BE_SECRET = frozenset(
    {
        *("router_apq_redis_url", "router_cost_redis_url", "router_policy_url", "jwks_url"),
        *("headers", "service_token"),
    }
)


Group = TypeVar("Group", bound=BaseSettings)


class InvalidSettingError(Exception):
    """Settings are invalid; the message names each by its variable, or by its place in the file."""


class Limits(BaseSettings):
    """Limits of requests, and of what clients have open or waiting."""

    model_config = SettingsConfigDict(env_prefix="ROUTER_", env_ignore_empty=True, frozen=True)

    max_depth: int = Field(default=20, ge=1, description="Maximum depth of an operation.")
    max_characters: int = Field(default=100_000, ge=1, description="Maximum length of a document.")
    max_tokens: int = Field(default=4000, ge=1, description="Maximum lexical tokens of a document.")
    max_definitions: int = Field(100, ge=1, description="Maximum operations and fragments in a document.")
    max_comparisons: int = Field(
        10_000,
        ge=1,
        description="Maximum selections of a document plus pairs of fields with the same response path.",
    )
    max_aliases: int = Field(
        100, ge=0, description="Maximum aliases in an operation, fragments counted at each spread."
    )
    max_fields: int = Field(
        default=2000, ge=1, description="Maximum fields in an operation, fragments counted at each spread."
    )
    max_root_fields: int = Field(default=30, ge=1, description="Maximum root fields of an operation.")
    max_directives: int = Field(default=100, ge=0, description="Maximum directives in an operation.")
    max_socket_operations: int = Field(
        default=100, ge=1, description="Maximum concurrent operations per connection."
    )
    max_subscriptions: int = Field(default=5000, ge=1, description="Maximum open subscriptions.")
    max_subscriptions_per_client: int = Field(
        default=200,
        ge=1,
        description="Maximum open subscriptions of one client (a token's subject, or an address).",
    )
    max_waiting_documents: int = Field(
        default=100, ge=1, description="Maximum new operations waiting to be prepared."
    )
    max_waiting_documents_per_client: int = Field(
        default=50,
        ge=1,
        description="Maximum new operations of one client (a token's subject, or an address) waiting.",
    )
    max_reserved_streams: int = Field(
        default=1000, ge=1, description="Maximum event streams reserved but not yet opened."
    )
    max_reserved_streams_per_client: int = Field(
        default=20,
        ge=1,
        description="Maximum event streams of one client (a token's subject, or an address) reserved.",
    )
    max_batch: int = Field(default=1, ge=1, description="Maximum operations in one request; 1: no batching.")
    max_cost: int = Field(
        default=20_000, ge=0, description="Maximum estimated cost of an operation; 0: unlimited."
    )
    cost_per_minute: int | None = Field(
        None, ge=1, description="Maximum estimated cost of one caller's operations per minute."
    )
    list_size: int = Field(default=10, ge=0, description="Assumed size of lists without @listSize.")
    report_cost: bool = Field(
        default=False, description="Whether responses report the estimated cost in extensions."
    )
    max_body_bytes: int = Field(default=1_048_576, ge=1, description="Maximum size of a request body.")
    max_bodies_bytes: int = Field(
        default=67_108_864, ge=1, description="Maximum size of all request bodies being received."
    )


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def _is_true(value: Any) -> bool:
    return _lower(value) in (True, "true")


Exporter = Annotated[Literal["otlp", "console", "none"], BeforeValidator(_lower)]
Protocol = Annotated[Literal["http/protobuf"], BeforeValidator(_lower)]


class OpenTelemetry(BaseSettings):
    """Those of OpenTelemetry's own variables that the router reads; its SDK reads the others itself."""

    model_config = SettingsConfigDict(env_prefix="OTEL_", env_ignore_empty=True, frozen=True)

    # The OpenTelemetry specification accepts only "true", in any case.
    sdk_disabled: Annotated[bool, BeforeValidator(_is_true)] = False
    traces_exporter: Exporter | None = None
    exporter_otlp_endpoint: str | None = None
    exporter_otlp_traces_endpoint: str | None = None
    exporter_otlp_protocol: Protocol | None = None
    exporter_otlp_traces_protocol: Protocol | None = None

    @property
    def exporter(self) -> Literal["otlp", "console", "none"]:
        """The exporter that is configured, else OTLP if an endpoint is."""
        if self.sdk_disabled:
            return "none"
        endpoint = self.exporter_otlp_traces_endpoint or self.exporter_otlp_endpoint
        return self.traces_exporter or ("otlp" if endpoint else "none")


class Settings(BaseSettings):
    """The router's settings, named as their environment variables."""

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True)

    host: str = "127.0.0.1"
    api_port: int = Field(default=3000, ge=0, le=65535)
    metrics_host: str = Field("127.0.0.1", description="The address that /metrics listens on.")
    metrics_port: int | None = Field(
        None, ge=0, le=65535, description="The port of /metrics; unset, a thousand above API_PORT."
    )
    environment: Literal["development", "production"] = "development"
    log_level: Literal["debug", "info", "warn", "error"] = "info"
    supergraph: Path = Path("schema/supergraph.graphql")
    auth_service_port: int = Field(default=3001, ge=0, le=65535)
    jwks_url: str | None = Field(default=None, validate_default=True)
    jwt_issuer: str = "memorable"
    service_token: SecretStr = Field(
        default=SecretStr(""),
        validate_default=True,
        description="The secret that authenticates the router to subgraphs.",
    )
    router_explorer: bool | None = Field(
        None, description="Whether GraphiQL is served; unset, in development only."
    )
    router_policy_url: HttpUrl | None = Field(
        None, description="The policy decision point that evaluates @policy."
    )
    router_policy_timeout: float = Field(
        default=1.0, gt=0, description="Timeout of the policy decision point in seconds."
    )
    router_unauthorized: Literal["refuse", "null"] = Field(
        "refuse",
        description="Whether an operation with unauthorized fields is refused, or runs with null for them.",
    )
    router_cache_size: int = Field(
        default=1000, ge=1, description="Maximum prepared operations in the cache."
    )
    router_reload_seconds: float = Field(
        default=0, ge=0, description="Seconds between checks of the supergraph's file; 0: no reloading."
    )
    router_trusted_documents: Path | None = Field(
        None, description="The manifest of trusted documents, by id."
    )
    router_safelist: bool = Field(default=False, description="Whether only trusted documents run.")
    router_apq: bool = Field(default=False, description="Whether automatic persisted queries are enabled.")
    router_apq_redis_url: RedisDsn | None = Field(
        None, description="The Redis in which routers share persisted queries."
    )
    limits: Limits = Field(default_factory=lambda: Limits.model_validate({}))
    router_cost_redis_url: RedisDsn | None = Field(
        None, validate_default=True, description="The Redis in which routers count costs per minute."
    )
    traffic: Traffic = Field(default_factory=lambda: Traffic.model_validate({}))
    connections: Connections = Field(default_factory=lambda: Connections.model_validate({}))
    telemetry: OpenTelemetry = Field(default_factory=lambda: OpenTelemetry.model_validate({}))
    subgraph_urls: Mapping[str, str] = Field(default_factory=dict)

    @field_validator("router_safelist")
    @classmethod
    def _require_manifest(cls, value: bool, info: ValidationInfo) -> bool:
        if value and not info.data.get("router_trusted_documents"):
            raise ValueError("ROUTER_TRUSTED_DOCUMENTS must name the manifest")
        return value

    @field_validator("router_cost_redis_url")
    @classmethod
    def _require_cost_store(cls, value: RedisDsn | None, info: ValidationInfo) -> RedisDsn | None:
        limits: Limits | None = info.data.get("limits")
        if limits and limits.cost_per_minute and value is None:
            raise ValueError("ROUTER_COST_PER_MINUTE requires it")
        return value

    @field_validator("jwks_url")
    @classmethod
    def _require_in_production(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("environment") == "production":
            raise ValueError("required in production")
        return value

    @model_validator(mode="after")
    def _forbid_credentials_for_any_origin(self) -> Self:
        if self.connections.cors_credentials and "*" in self.traffic.cors_origins:
            raise ValueError("ROUTER_CORS_CREDENTIALS: not allowed while ROUTER_CORS_ORIGINS contains *")
        return self

    @property
    def effective_metrics_port(self) -> int:
        """The port of /metrics; 0, for the system to choose, if the API's port is 0 too."""
        if self.metrics_port is not None:
            return self.metrics_port
        port = self.api_port + METRICS_PORT_OFFSET
        return port if self.api_port and port < PORTS else 0

    @property
    def shutdown_seconds(self) -> int:
        """Seconds in which requests may complete at shutdown."""
        timeout = self.connections.shutdown_timeout
        return math.ceil(self.traffic.operation_timeout + 1 if timeout is None else timeout)

    @property
    def hsts_seconds(self) -> int:
        """The max-age of Strict-Transport-Security (RFC 6797); 0: no header."""
        seconds = self.connections.hsts_seconds
        return (0 if self.introspection else YEAR_SECONDS) if seconds is None else seconds

    @property
    def explorer(self) -> bool:
        """Whether GraphiQL is served."""
        return self.introspection if self.router_explorer is None else self.router_explorer

    @field_validator("service_token")
    @classmethod
    def _require_secret(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        in_production = info.data.get("environment") == "production"
        if in_production and len(value.get_secret_value()) < MIN_SECRET_CHARACTERS:
            raise ValueError(f"production requires a secret of at least {MIN_SECRET_CHARACTERS} characters")
        return value

    @property
    def authentication_headers(self) -> tuple[HeaderRule, ...]:
        """The header that authenticates the router to subgraphs; no rule and no client can override it."""
        token = self.service_token.get_secret_value()
        return (HeaderRule(SetValue(SERVICE_TOKEN_HEADER, token)),) if token else ()

    @property
    def introspection(self) -> bool:
        """Whether introspection is enabled: not in production."""
        return self.environment == "development"

    @property
    def exposed_subgraphs(self) -> Sequence[str]:
        """The subgraphs whose errors clients get unredacted; unset, all of them in development."""
        names = self.traffic.include_subgraph_errors
        return names if names is not None else ("*",) if self.environment == "development" else ()

    @property
    def default_jwks_url(self) -> str:
        """The key set of Memorable's auth service on this machine."""
        return f"http://127.0.0.1:{self.auth_service_port}/.well-known/jwks.json"

    def get_subgraph_url(self, subgraph: str, routing_url: str) -> str:
        """The URL of a subgraph: from the command line, else the environment, else the supergraph."""
        return self.subgraph_urls.get(subgraph) or os.environ.get(get_url_variable(subgraph)) or routing_url


def load(**overrides: object) -> Settings:
    """Reads the settings from the environment and the file in ROUTER_CONFIG, with `overrides` by field name.

    Raises:
        InvalidSettingError: settings are invalid; the message names all, with their places in the file.
    """
    try:
        file = read_config_file()
    except InvalidConfigFile as error:
        raise InvalidSettingError(str(error)) from None
    chosen = {name: value for name, value in file.values.items() if not os.environ.get(name.upper())}
    problems: list[str] = []

    def read(kind: type[Group], values: Mapping[str, Any]) -> Group:
        try:
            return kind.model_validate({**_select(kind, chosen), **values})
        except ValidationError as error:
            problems.extend(_describe_errors(error, file.places))
            return kind.model_construct()

    groups = {name: read(kind, {}) for name, kind in GROUPS.items()}
    settings = read(Settings, {**groups, **overrides})
    if problems:
        raise InvalidSettingError("; ".join(problems))
    return settings


GROUPS: Final[Mapping[str, type[BaseSettings]]] = {
    "limits": Limits,
    "traffic": Traffic,
    "connections": Connections,
    "telemetry": OpenTelemetry,
}
"""The settings that stand together, by the field of `Settings` that holds them."""


def list_names(kind: type[BaseSettings]) -> dict[str, str]:
    """List the names of settings, which are their variables in lower case, with the fields that hold them."""
    prefix = str(kind.model_config.get("env_prefix", "")).lower()
    return {f"{prefix}{field}": field for field in kind.model_fields if field not in _NOT_SET_BY_NAME}


_NOT_SET_BY_NAME: Final = frozenset({*GROUPS, "subgraph_urls"})


def read_config_file() -> ConfigFile:
    """Reads the file that ROUTER_CONFIG names, if it does.

    Raises:
        InvalidConfigFile: it is not readable, or has unknown or repeated keys.
    """
    path = os.environ.get(CONFIG_VARIABLE)
    if not path:
        return ConfigFile()
    return ConfigFile.read(Path(path), set(_NAMES.values()))


def _select(kind: type[BaseSettings], values: Mapping[str, Any]) -> dict[str, Any]:
    """Select the values of a group, by field."""
    return {field: values[name] for name, field in list_names(kind).items() if name in values}


def _name_fields() -> dict[str, str]:
    kinds: tuple[type[BaseSettings], ...] = (Settings, *GROUPS.values())
    return {field: name for kind in kinds for name, field in list_names(kind).items()}


_NAMES: Final = _name_fields()


def _describe_errors(error: ValidationError, places: Mapping[str, str]) -> Iterable[str]:
    for problem in error.errors():
        # Pydantic puts this before the messages of our own validators.
        message = problem["msg"].removeprefix("Value error, ")
        if not problem["loc"]:
            yield message
            continue
        field = str(problem["loc"][0])
        name = _NAMES.get(field, field)
        from_file = name in places and not os.environ.get(name.upper())
        where = f"{places[name]}: {name}" if from_file else name.upper()
        part = "".join(f"[{key}]" for key in problem["loc"][1:2])
        value = "" if field in MAY_BE_SECRET else f" (got {problem['input']!r})"
        yield f"{where}{part}: {message}{value}"


def get_url_variable(subgraph: str) -> str:
    """The environment variable of a subgraph's URL."""
    return "".join(letter if letter.isalnum() else "_" for letter in f"{subgraph}_url").upper()
