"""Settings of the traffic to subgraphs, and from browsers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, TypeAlias
from urllib.parse import urljoin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    FilePath,
    StringConstraints,
    Tag,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from router.config.header_rules import HeaderRule, Propagate, Remove, SetValue

# The router sets them itself, as they describe its own exchange with the subgraph.
RESERVED = frozenset(
    {
        *("accept", "accept-encoding", "connection", "content-encoding", "content-length", "content-type"),
        *("expect", "host", "te", "trailer", "transfer-encoding", "upgrade"),
    }
)


def _require_unreserved(name: str) -> str:
    if name in RESERVED:
        raise ValueError(f"the router sets {name} itself")
    return name


# Paths of the router's own, by their first segment.
OWN_PATHS = ("graphql", "health", "explorer", "metrics")


def _refuse_own_path(path: str) -> str:
    if path.split("/")[1] in OWN_PATHS:
        raise ValueError(f"the router serves {path} itself")
    return path


def _to_percentage(value: Any) -> Any:
    return 100 * value if isinstance(value, bool) else value


HeaderName = Annotated[
    str, StringConstraints(to_lower=True, pattern=r"^[A-Za-z0-9_-]+$"), AfterValidator(_require_unreserved)
]
HeaderValue = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]*$")]
UrlPath = Annotated[str, StringConstraints(pattern=r"^/[\x21-\x7e]*$")]
PassedPath = Annotated[
    str, StringConstraints(pattern=r"^(/[A-Za-z0-9._~-]+)+$"), AfterValidator(_refuse_own_path)
]
Origin = Annotated[str, StringConstraints(pattern=r"^(\*|https?://[^/\s]+)$")]
Coding = Literal["gzip", "deflate", "br", "zstd"]
Seconds = Annotated[float, Field(gt=0)]
Percentage = Annotated[float, BeforeValidator(_to_percentage), Field(ge=0, le=100)]


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    subgraph: str | None = None


class PropagateHeader(_Rule):
    """Propagates a header of the client to the subgraphs, or its like in a WebSocket's first message."""

    propagate: HeaderName
    initial_payload: bool = False

    def to_rule(self) -> HeaderRule:
        """The header rule."""
        return HeaderRule(Propagate(self.propagate, self.initial_payload), self.subgraph)


class SetHeader(_Rule):
    """Sets a header of requests to the subgraphs."""

    set: HeaderName
    value: HeaderValue

    def to_rule(self) -> HeaderRule:
        """The header rule."""
        return HeaderRule(SetValue(self.set, self.value), self.subgraph)


class RemoveHeader(_Rule):
    """Removes a header from requests to the subgraphs."""

    remove: HeaderName

    def to_rule(self) -> HeaderRule:
        """The header rule."""
        return HeaderRule(Remove(self.remove), self.subgraph)


def _find_kind(rule: Any) -> str | None:
    """Find which of the three rules a mapping is, so that only that one's errors are reported."""
    keys = rule if isinstance(rule, dict) else getattr(rule, "model_fields_set", ())
    return next((kind for kind in ("propagate", "set", "remove") if kind in keys), None)


Rule: TypeAlias = Annotated[
    Annotated[PropagateHeader, Tag("propagate")]
    | Annotated[SetHeader, Tag("set")]
    | Annotated[RemoveHeader, Tag("remove")],
    Discriminator(
        _find_kind,
        custom_error_type="header_rule",
        custom_error_message="A rule has one of the keys propagate, set and remove",
    ),
]


class TlsFiles(BaseModel):
    """PEM files for TLS to a subgraph: CA certificates instead of the system's, and a client certificate."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ca: FilePath | None = None
    certificate: FilePath | None = None
    key: FilePath | None = None
    """The key of the certificate, if it is not in the same file."""

    @model_validator(mode="after")
    def _require_certificate(self) -> Self:
        if self.key and not self.certificate:
            raise ValueError("a key needs its certificate")
        return self


class Subscriptions(BaseModel):
    """The protocol and path of a subgraph's subscriptions, if not Server-Sent Events at its own URL."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    protocol: Literal["graphql_ws"]
    path: UrlPath | None = None

    def resolve_url(self, subgraph_url: str) -> str:
        """The URL of the subscriptions."""
        return urljoin(subgraph_url, self.path) if self.path else subgraph_url


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _parse_paths(value: Any) -> Any:
    """Parse paths and their subgraphs, such as `/files=books, /webhooks/stripe=orders`."""
    if not isinstance(value, str):
        return value
    pairs = [part.partition("=") for part in _split(value)]
    return {path.strip(): subgraph.strip() for path, _, subgraph in pairs}


def _refuse_text(value: Any) -> Any:
    if isinstance(value, str):
        raise ValueError("it can only be set in the file that ROUTER_CONFIG names")  # noqa: TRY004 - pydantic's
    return value


class Traffic(BaseSettings):
    """Timeouts, retries, circuit breakers, header rules and limits of subgraph requests, and CORS origins."""

    model_config = SettingsConfigDict(env_prefix="ROUTER_", env_ignore_empty=True, frozen=True)

    operation_timeout: Seconds = Field(default=60.0, description="Timeout of a query or mutation in seconds.")
    subgraph_timeout: Seconds = Field(default=30.0, description="Timeout of one fetch in seconds.")
    subgraph_timeouts: Annotated[Mapping[str, Seconds], NoDecode, BeforeValidator(_refuse_text)] = Field(
        default_factory=dict, description="Fetch timeouts of single subgraphs."
    )
    subscriptions: Annotated[Mapping[str, Subscriptions], NoDecode, BeforeValidator(_refuse_text)] = Field(
        default_factory=dict, description="Subgraphs with subscriptions over WebSocket."
    )
    max_response_bytes: int = Field(
        default=33_554_432, ge=1, description="Maximum size of a subgraph's response, decompressed."
    )
    subgraph_connections: int = Field(default=256, ge=1, description="Maximum connections per subgraph.")
    subgraph_waiting: int = Field(
        default=1024, ge=0, description="Maximum fetches waiting for a connection, per subgraph."
    )
    subgraph_compression: Annotated[tuple[Coding, ...], NoDecode, BeforeValidator(_split)] = Field(
        default=(), description="Content codings accepted from subgraphs, separated by commas."
    )
    subgraph_tls: Annotated[Mapping[str, TlsFiles], NoDecode, BeforeValidator(_refuse_text)] = Field(
        default_factory=dict, description="CA certificates and client certificates for single subgraphs."
    )
    retries: int = Field(default=1, ge=0, le=10, description="Maximum retries of a failed query.")
    retry_share: float = Field(default=0.1, ge=0, le=1, description="Retries allowed per fetch.")
    breaker_failures: int = Field(
        default=10,
        ge=0,
        description="Consecutive failures that open a subgraph's circuit breaker; 0: no circuit breakers.",
    )
    breaker_seconds: Seconds = Field(
        default=2.0, description="Seconds an open circuit breaker rejects fetches."
    )
    share_fetches: bool = Field(default=True, description="Whether identical queries in flight are shared.")
    include_subgraph_errors: Annotated[tuple[str, ...] | None, NoDecode, BeforeValidator(_split)] = Field(
        default=None,
        description="Subgraphs whose error messages are exposed, separated by commas; *: all.",
    )
    override_labels: Annotated[Mapping[str, Percentage], NoDecode, BeforeValidator(_refuse_text)] = Field(
        default_factory=dict,
        description="Percentages of requests in which @override labels are active.",
    )
    headers: Annotated[tuple[Rule, ...], NoDecode, BeforeValidator(_refuse_text)] = Field(
        default=(PropagateHeader(propagate="user-agent"),), description="Header rules."
    )
    pass_through: Annotated[Mapping[PassedPath, str], NoDecode, BeforeValidator(_parse_paths)] = Field(
        default_factory=dict,
        description="Paths passed on to a subgraph as they are, as path=subgraph, separated by commas.",
    )
    cors_origins: Annotated[tuple[Origin, ...], NoDecode, BeforeValidator(_split)] = Field(
        default=(), description="Origins that CORS allows, separated by commas; *: all."
    )
