"""What the router reads from its environment about traffic: to the subgraphs, and from browsers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import urljoin

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FilePath,
    StringConstraints,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from router.config.header_rules import HeaderRule, Propagate, Put, Remove

# They belong to the exchange itself, which only the router knows.
RESERVED = frozenset(
    {
        *("accept", "accept-encoding", "connection", "content-encoding", "content-length", "content-type"),
        *("expect", "host", "te", "trailer", "transfer-encoding", "upgrade"),
    }
)


def _free(name: str) -> str:
    if name in RESERVED:
        raise ValueError(f"the router itself sets {name}")
    return name


def _of_all(value: Any) -> Any:
    return 100 * value if isinstance(value, bool) else value


HeaderName = Annotated[
    str, StringConstraints(to_lower=True, pattern=r"^[A-Za-z0-9_-]+$"), AfterValidator(_free)
]
HeaderValue = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]*$")]
Path = Annotated[str, StringConstraints(pattern=r"^/[\x21-\x7e]*$")]
Origin = Annotated[str, StringConstraints(pattern=r"^(\*|https?://[^/\s]+)$")]
Coding = Literal["gzip", "deflate", "br", "zstd"]
Seconds = Annotated[float, Field(gt=0)]
Percentage = Annotated[float, BeforeValidator(_of_all), Field(ge=0, le=100)]


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    subgraph: str | None = None


class PropagateHeader(_Rule):
    """The subgraphs read this header as the client sent it."""

    propagate: HeaderName

    def compiled(self) -> HeaderRule:
        """The rule as requests are changed by it."""
        return HeaderRule(Propagate(self.propagate), self.subgraph)


class SetHeader(_Rule):
    """The subgraphs read this header with this value."""

    set: HeaderName
    value: HeaderValue

    def compiled(self) -> HeaderRule:
        """The rule as requests are changed by it."""
        return HeaderRule(Put(self.set, self.value), self.subgraph)


class RemoveHeader(_Rule):
    """The subgraphs do not read this header."""

    remove: HeaderName

    def compiled(self) -> HeaderRule:
        """The rule as requests are changed by it."""
        return HeaderRule(Remove(self.remove), self.subgraph)


Rule: TypeAlias = PropagateHeader | SetHeader | RemoveHeader


class Subscriptions(BaseModel):
    """How a subgraph's subscriptions are opened, other than over Server-Sent Events at its own address."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    protocol: Literal["graphql_ws"]
    path: Path | None = None

    def url(self, subgraph_url: str) -> str:
        """Where they are opened."""
        return urljoin(subgraph_url, self.path) if self.path else subgraph_url


def _listed(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _decoded(value: Any) -> Any:
    return orjson.loads(value) if isinstance(value, str) else value


class Traffic(BaseSettings):
    """How the router deals with subgraphs that are slow, down or wrong, and with browsers."""

    model_config = SettingsConfigDict(env_prefix="ROUTER_", env_ignore_empty=True, frozen=True)

    operation_timeout: Seconds = Field(default=60.0, description="Seconds a query or a mutation may take.")
    subgraph_timeout: Seconds = Field(default=30.0, description="Seconds one fetch may take.")
    subgraph_timeouts: Annotated[Mapping[str, Seconds], NoDecode, BeforeValidator(_decoded)] = Field(
        default_factory=dict, description="The same for single subgraphs, as a JSON object."
    )
    subscriptions: Annotated[Mapping[str, Subscriptions], NoDecode, BeforeValidator(_decoded)] = Field(
        default_factory=dict, description="Subgraphs that are subscribed to over WebSocket, as a JSON object."
    )
    max_response_bytes: int = Field(
        default=33_554_432, ge=1, description="Size of a subgraph's answer, once it is decoded."
    )
    subgraph_connections: int = Field(default=256, ge=1, description="Connections to one subgraph.")
    subgraph_waiting: int = Field(
        default=1024, ge=0, description="Fetches that wait for a connection to one subgraph."
    )
    subgraph_compression: Annotated[tuple[Coding, ...], NoDecode, BeforeValidator(_listed)] = Field(
        default=(), description="Content codings that subgraphs may answer in, separated by commas."
    )
    subgraph_ca_files: Annotated[Mapping[str, FilePath], NoDecode, BeforeValidator(_decoded)] = Field(
        default_factory=dict,
        description="Files of the certificates that single subgraphs are known by, as a JSON object.",
    )
    retries: int = Field(default=1, ge=0, le=10, description="How often a failed query is sent again.")
    retry_share: float = Field(default=0.1, ge=0, le=1, description="Retries allowed per fetch sent.")
    breaker_failures: int = Field(
        default=10, ge=0, description="Failures in a row that open a subgraph's circuit; 0 has no circuits."
    )
    breaker_seconds: Seconds = Field(default=2.0, description="How long an open circuit refuses fetches.")
    share_fetches: bool = Field(default=True, description="Identical queries under way are sent once.")
    include_subgraph_errors: Annotated[tuple[str, ...] | None, NoDecode, BeforeValidator(_listed)] = Field(
        default=None,
        description="Subgraphs whose error messages clients read, separated by commas; * is every one.",
    )
    override_labels: Annotated[Mapping[str, Percentage], NoDecode, BeforeValidator(_decoded)] = Field(
        default_factory=dict,
        description="For which percentage of requests override labels are active, as a JSON object.",
    )
    headers: Annotated[tuple[Rule, ...], NoDecode, BeforeValidator(_decoded)] = Field(
        default=(PropagateHeader(propagate="user-agent"),), description="Header rules, as a JSON list."
    )
    cors_origins: Annotated[tuple[Origin, ...], NoDecode, BeforeValidator(_listed)] = Field(
        default=(), description="Origins whose pages may ask, separated by commas; * is every one."
    )
