"""What the router reads from its environment about the connections of its clients."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Network: TypeAlias = IPv4Network | IPv6Network
Seconds = Annotated[float, Field(gt=0)]


def _networks(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return [ip_network(part.strip()) for part in value.split(",") if part.strip()]


class Connections(BaseSettings):
    """How the router deals with clients that are many, slow or silent, and with what stands before it."""

    model_config = SettingsConfigDict(env_prefix="ROUTER_", env_ignore_empty=True, frozen=True)

    max_connections: int = Field(
        default=10_000, ge=1, description="Open connections, fewer where the process may open fewer files."
    )
    max_client_connections: int = Field(
        default=2000, ge=1, description="Those of one address, and never more than half of all."
    )
    max_url_bytes: int = Field(default=16_384, ge=1, description="Size of a request's target.")
    max_header_bytes: int = Field(default=32_768, ge=1, description="Size of a request's headers.")
    max_headers: int = Field(default=100, ge=1, description="Headers of a request.")
    header_timeout: Seconds = Field(default=10.0, description="Seconds until a request's headers are there.")
    body_timeout: Seconds = Field(default=30.0, description="Seconds until its body is there.")
    send_timeout: Seconds = Field(default=30.0, description="Seconds a client may read nothing of an answer.")
    max_unsent_bytes: int = Field(
        default=134_217_728, ge=1, description="What slow clients have not read yet, all together."
    )
    keep_alive_timeout: Seconds = Field(
        default=75.0, description="Seconds a connection may idle; longer than a load balancer keeps it."
    )
    shutdown_delay: float = Field(
        default=0.0, ge=0, description="Seconds it serves on, no longer ready, after it was told to stop."
    )
    shutdown_timeout: float | None = Field(
        None, gt=0, description="Seconds running requests then have; unset, as long as an operation may take."
    )
    compression: bool = Field(default=True, description="Whether answers are compressed for who asks so.")
    compression_min_bytes: int = Field(default=1024, ge=1, description="Size from which they are.")
    hsts_seconds: int | None = Field(
        None, ge=0, description="How long browsers insist on TLS; unset, a year in production, else 0: not."
    )
    cors_credentials: bool = Field(
        default=False, description="Whether pages of other origins may send cookies; not with the origin *."
    )
    cors_max_age: int = Field(default=600, ge=0, description="Seconds a browser remembers what it asked.")
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)] = Field(
        default=(), description="Addresses and networks of proxies that are believed where a client is."
    )
    proxy_header: Literal["x-forwarded-for", "forwarded"] = Field(
        default="x-forwarded-for", description="The header in which they say it."
    )
