"""Settings of the connections of clients."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Network: TypeAlias = IPv4Network | IPv6Network
Seconds = Annotated[float, Field(gt=0)]


def _parse_networks(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return [ip_network(part.strip()) for part in value.split(",") if part.strip()]


class Connections(BaseSettings):
    """Limits and timeouts of client connections, response compression, CORS and trusted proxies."""

    model_config = SettingsConfigDict(env_prefix="ROUTER_", env_ignore_empty=True, frozen=True)

    max_connections: int = Field(
        default=10_000,
        ge=1,
        description="Maximum open connections; fewer if the process may open fewer files.",
    )
    max_client_connections: int = Field(
        default=2000, ge=1, description="Maximum open connections of one address, at most half of all."
    )
    max_url_bytes: int = Field(default=16_384, ge=1, description="Maximum size of a request target.")
    max_header_bytes: int = Field(
        default=32_768, ge=1, description="Maximum size of all headers of a request."
    )
    max_headers: int = Field(default=100, ge=1, description="Maximum number of headers of a request.")
    header_timeout: Seconds = Field(default=10.0, description="Seconds to receive a request's headers.")
    body_timeout: Seconds = Field(default=30.0, description="Seconds to receive a request's body.")
    send_timeout: Seconds = Field(
        default=30.0, description="Seconds until a client that reads nothing of a response is disconnected."
    )
    max_unsent_bytes: int = Field(
        default=134_217_728, ge=1, description="Maximum size of all data that slow clients have not read yet."
    )
    keep_alive_timeout: Seconds = Field(
        default=75.0, description="Idle timeout in seconds; longer than that of the load balancer."
    )
    shutdown_delay: float = Field(
        default=0.0,
        ge=0,
        description="Seconds between becoming unready and closing the listener at shutdown.",
    )
    shutdown_timeout: float | None = Field(
        None,
        gt=0,
        description="Seconds to complete requests at shutdown; unset, one more than the operation timeout.",
    )
    compression: bool = Field(default=True, description="Whether responses are compressed on request.")
    compression_min_bytes: int = Field(
        default=1024, ge=1, description="Minimum size of a compressed response."
    )
    hsts_seconds: int | None = Field(
        None,
        ge=0,
        description="max-age of Strict-Transport-Security; 0: no header; unset: a year, in production only.",
    )
    cors_credentials: bool = Field(
        default=False, description="Whether CORS requests may carry credentials; not with the origin *."
    )
    cors_max_age: int = Field(default=600, ge=0, description="Seconds a browser caches a preflight response.")
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_parse_networks)] = Field(
        default=(), description="Addresses and networks of proxies whose forwarding header is trusted."
    )
    proxy_header: Literal["x-forwarded-for", "forwarded"] = Field(
        default="x-forwarded-for", description="The header in which proxies forward the client's address."
    )
