"""What the router reads from its environment."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

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
from router.config.header_rules import HeaderRule, Put
from router.config.traffic import Traffic

METRICS_ABOVE = 1000
PORTS = 65536
YEAR_SECONDS = 31_536_000
SERVICE_TOKEN_HEADER = "x-memorable-service-token"  # noqa: S105 - the header's name
SHORTEST_SECRET = 16
# Their values stay out of what is told when they cannot be used.
MAY_BE_SECRET = frozenset(
    {"router_apq_redis_url", "router_policy_url", "jwks_url", "headers", "service_token"}
)


class InvalidSettingError(Exception):
    """A setting cannot be used; the message names the variable."""


class Limits(BaseSettings):
    """How much one request may ask."""

    model_config = SettingsConfigDict(env_prefix="ROUTER_", env_ignore_empty=True, frozen=True)

    max_depth: int = Field(default=20, ge=1, description="Levels of nested fields in an operation.")
    max_characters: int = Field(default=100_000, ge=1, description="Characters in a document.")
    max_tokens: int = Field(default=4000, ge=1, description="Lexical tokens in a document.")
    max_definitions: int = Field(100, ge=1, description="Operations and fragments in a document.")
    max_comparisons: int = Field(
        10_000,
        ge=1,
        description="Selections in a document, and pairs of fields at one place of the response.",
    )
    max_aliases: int = Field(
        100, ge=0, description="Aliases in an operation, fragments counted where spread."
    )
    max_fields: int = Field(default=2000, ge=1, description="Fields, counted wherever a fragment is spread.")
    max_root_fields: int = Field(default=30, ge=1, description="Fields at the root of an operation.")
    max_directives: int = Field(default=100, ge=0, description="Directives in an operation.")
    max_socket_operations: int = Field(
        default=100, ge=1, description="Operations that run at one time over one connection."
    )
    max_waiting_documents: int = Field(
        default=100, ge=1, description="Operations, not seen before, that wait to be prepared."
    )
    max_waiting_documents_per_client: int = Field(
        default=50, ge=1, description="The same for one client: the subject of a token, or an address."
    )
    max_reserved_streams: int = Field(
        default=1000, ge=1, description="Event streams that are reserved and not yet opened."
    )
    max_reserved_streams_per_client: int = Field(
        default=20, ge=1, description="The same for one client: the subject of a token, or an address."
    )
    max_batch: int = Field(default=1, ge=1, description="Operations in one request; 1 has no batches.")
    max_cost: int = Field(default=20_000, ge=0, description="The estimated cost of an operation; 0: any.")
    cost_per_minute: int | None = Field(
        None, ge=1, description="What the operations of one caller may cost in a minute, by their estimates."
    )
    list_size: int = Field(default=10, ge=0, description="Items assumed in a list without @listSize.")
    report_cost: bool = Field(default=False, description="Whether answers tell the estimated cost.")
    max_body_bytes: int = Field(default=1_048_576, ge=1, description="Size of a request body.")
    max_bodies_bytes: int = Field(
        default=67_108_864, ge=1, description="Size of the bodies that are being received, all together."
    )


def _lowered(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def _is_true(value: Any) -> bool:
    return _lowered(value) in (True, "true")


Exporter = Annotated[Literal["otlp", "console", "none"], BeforeValidator(_lowered)]
Protocol = Annotated[Literal["http/protobuf"], BeforeValidator(_lowered)]


class OpenTelemetry(BaseSettings):
    """What OpenTelemetry's own variables say; how spans are sampled and sent, its SDK reads for itself."""

    model_config = SettingsConfigDict(env_prefix="OTEL_", env_ignore_empty=True, frozen=True)

    # Its specification knows no other word for true.
    sdk_disabled: Annotated[bool, BeforeValidator(_is_true)] = False
    traces_exporter: Exporter | None = None
    exporter_otlp_endpoint: str | None = None
    exporter_otlp_traces_endpoint: str | None = None
    exporter_otlp_protocol: Protocol | None = None
    exporter_otlp_traces_protocol: Protocol | None = None

    @property
    def exporter(self) -> Literal["otlp", "console", "none"]:
        """Where spans go: where it is said, else over OTLP as soon as an endpoint is named."""
        if self.sdk_disabled:
            return "none"
        endpoint = self.exporter_otlp_traces_endpoint or self.exporter_otlp_endpoint
        return self.traces_exporter or ("otlp" if endpoint else "none")


class Settings(BaseSettings):
    """The router's settings, named as in the environment."""

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True)

    host: str = "127.0.0.1"
    api_port: int = Field(default=3000, ge=0, le=65535)
    metrics_host: str = Field("127.0.0.1", description="The address /metrics is served at.")
    metrics_port: int | None = Field(
        None, ge=0, le=65535, description="Its port; unset, a thousand above the API's."
    )
    environment: Literal["development", "production"] = "development"
    log_level: Literal["debug", "info", "warn", "error"] = "info"
    supergraph: Path = Path("schema/supergraph.graphql")
    auth_service_port: int = Field(default=3001, ge=0, le=65535)
    jwks_url: str | None = Field(default=None, validate_default=True)
    jwt_issuer: str = "memorable"
    service_token: SecretStr = Field(
        default=SecretStr(""), validate_default=True, description="What subgraphs know their router by."
    )
    router_explorer: bool | None = Field(
        None, description="Whether browsers get GraphiQL; unset, in development alone."
    )
    router_policy_url: HttpUrl | None = Field(None, description="The decision point that judges @policy.")
    router_policy_timeout: float = Field(default=1.0, gt=0, description="Seconds it may take.")
    router_unauthorized: Literal["refuse", "null"] = Field(
        "refuse", description="What a caller reads who may have but a part: an error, or null for the rest."
    )
    router_cache_size: int = Field(default=1000, ge=1, description="Prepared operations kept in memory.")
    router_reload_seconds: float = Field(
        default=0, ge=0, description="How often the supergraph's file is looked at; 0: never."
    )
    router_trusted_documents: Path | None = Field(None, description="A manifest of documents by id.")
    router_safelist: bool = Field(default=False, description="Whether only trusted documents run.")
    router_apq: bool = Field(default=False, description="Whether clients may persist documents by hash.")
    router_apq_redis_url: RedisDsn | None = Field(None, description="Where routers share such documents.")
    limits: Limits = Field(default_factory=lambda: Limits.model_validate({}))
    router_cost_redis_url: RedisDsn | None = Field(
        None, validate_default=True, description="Where routers share what callers have spent in a minute."
    )
    traffic: Traffic = Field(default_factory=lambda: Traffic.model_validate({}))
    connections: Connections = Field(default_factory=lambda: Connections.model_validate({}))
    telemetry: OpenTelemetry = Field(default_factory=lambda: OpenTelemetry.model_validate({}))
    subgraph_urls: Mapping[str, str] = Field(default_factory=dict)

    @field_validator("router_safelist")
    @classmethod
    def _has_documents(cls, value: bool, info: ValidationInfo) -> bool:
        if value and not info.data.get("router_trusted_documents"):
            raise ValueError("ROUTER_TRUSTED_DOCUMENTS must name the manifest")
        return value

    @field_validator("router_cost_redis_url")
    @classmethod
    def _has_budget_store(cls, value: RedisDsn | None, info: ValidationInfo) -> RedisDsn | None:
        limits: Limits | None = info.data.get("limits")
        if limits and limits.cost_per_minute and value is None:
            raise ValueError("it must be set where ROUTER_COST_PER_MINUTE is")
        return value

    @field_validator("jwks_url")
    @classmethod
    def _is_given_in_production(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("environment") == "production":
            raise ValueError("production has no default")
        return value

    @model_validator(mode="after")
    def _cookies_are_for_known_origins(self) -> Self:
        if self.connections.cors_credentials and "*" in self.traffic.cors_origins:
            raise ValueError("ROUTER_CORS_CREDENTIALS: cookies are not for *, which ROUTER_CORS_ORIGINS has")
        return self

    @property
    def metrics_at(self) -> int:
        """The port of /metrics; beside a port that is chosen by the system, one that is too."""
        if self.metrics_port is not None:
            return self.metrics_port
        above = self.api_port + METRICS_ABOVE
        return above if self.api_port and above < PORTS else 0

    @property
    def shutdown_seconds(self) -> int:
        """How long running requests have when the router is told to stop."""
        chosen = self.connections.shutdown_timeout
        return math.ceil(self.traffic.operation_timeout + 1 if chosen is None else chosen)

    @property
    def hsts_seconds(self) -> int:
        """How long browsers insist on TLS once they have seen it here; 0: they need not."""
        chosen = self.connections.hsts_seconds
        return (0 if self.introspection else YEAR_SECONDS) if chosen is None else chosen

    @property
    def explorer(self) -> bool:
        """Whether a browser gets GraphiQL."""
        return self.introspection if self.router_explorer is None else self.router_explorer

    @field_validator("service_token")
    @classmethod
    def _is_secret(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        in_production = info.data.get("environment") == "production"
        if in_production and len(value.get_secret_value()) < SHORTEST_SECRET:
            raise ValueError(f"production needs a secret of at least {SHORTEST_SECRET} characters here")
        return value

    @property
    def own_headers(self) -> tuple[HeaderRule, ...]:
        """What the router tells every subgraph of itself; no rule and no client can say otherwise."""
        token = self.service_token.get_secret_value()
        return (HeaderRule(Put(SERVICE_TOKEN_HEADER, token)),) if token else ()

    @property
    def introspection(self) -> bool:
        """Whether clients may read the schema: not in production."""
        return self.environment == "development"

    @property
    def shown_errors(self) -> Sequence[str]:
        """The subgraphs whose errors clients read as they are: where nothing is said, all in development."""
        listed = self.traffic.include_subgraph_errors
        return listed if listed is not None else ("*",) if self.environment == "development" else ()

    @property
    def default_jwks_url(self) -> str:
        """Where Memorable's auth service publishes its keys on this machine."""
        return f"http://127.0.0.1:{self.auth_service_port}/.well-known/jwks.json"

    def url_of(self, subgraph: str, routing_url: str) -> str:
        """The address of a subgraph: given to this process, or in its environment, or in the supergraph."""
        return self.subgraph_urls.get(subgraph) or os.environ.get(variable_of(subgraph)) or routing_url


def load(**overrides: object) -> Settings:
    """Reads the environment; `overrides` win over it.

    Raises:
        InvalidSettingError: a variable holds something that cannot be used.
    """
    try:
        return Settings.model_validate(overrides)
    except ValidationError as error:
        raise InvalidSettingError("; ".join(_complaints(error))) from None


_PREFIXES = {
    field: group.model_config.get("env_prefix", "")
    for group in (Limits, Traffic, Connections, OpenTelemetry)
    for field in group.model_fields
}


def _complaints(error: ValidationError) -> Iterable[str]:
    for problem in error.errors():
        if not problem["loc"]:
            yield problem["msg"].removeprefix("Value error, ")
            continue
        field = str(problem["loc"][0])
        name = f"{_PREFIXES.get(field, '')}{field}"
        told = "" if field in MAY_BE_SECRET else f" (it is {problem['input']!r})"
        yield f"{name.upper()}: {problem['msg']}{told}"


def variable_of(subgraph: str) -> str:
    """The variable that says where a subgraph is."""
    return "".join(letter if letter.isalnum() else "_" for letter in f"{subgraph}_url").upper()
