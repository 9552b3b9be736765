"""The HTTP client for requests to other services: to providers, and to the platform's own graph.

Each client is an `httpx2.AsyncClient`, which SDKs accept as well, over a transport that knows the rules:

- A request has a deadline for all its attempts, and ends earlier with the operation that it belongs to.
- A request that may be repeated is tried again, at most twice, when nobody answers or the answer is 429, 502,
  503 or 504; after the pause in `retry-after` if there is one, which is left to the caller if it is long.
- A response has a limit in bytes.
- The trace continues in `traceparent`; a metric counts the outcomes of each service. Neither addresses, which
  hold ids, nor headers and bodies, which hold secrets and personal data, are logged.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import Final
from urllib.request import getproxies, proxy_bypass

import httpx2
from prometheus_client import Counter, Histogram

from subgraphs.common.deadline import compute_remaining_seconds
from subgraphs.common.telemetry import build_traceparent, get_logger
from subgraphs.common.tracing import open_span

REQUESTS: Final = Counter(
    "outgoing_requests_total", "Requests to other services by outcome.", ["service", "outcome"]
)
REQUEST_SECONDS: Final = Histogram(
    "outgoing_request_seconds", "Time until another service answered, with all attempts.", ["service"]
)
IDEMPOTENT: Final = "idempotent"
"""The request extension that allows a POST to be repeated, as the header `idempotency-key` does."""

_REPEATABLE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_TEMPORARY_STATUSES: Final = frozenset({429, 502, 503, 504})
_MAX_ATTEMPTS: Final = 3
_FIRST_PAUSE_SECONDS: Final = 0.2
_MAX_PAUSE_SECONDS: Final = 5.0
_CONNECT_SECONDS: Final = 5.0


def create_client(
    service: str,
    *,
    deadline_seconds: float,
    max_connections: int = 20,
    max_response_bytes: int = 10_000_000,
    ca_file: Path | None = None,
    uses_proxy: bool = False,
) -> httpx2.AsyncClient:
    """Create a client of a service, which names it in metrics and logs.

    `deadline_seconds` is the time until the response begins, with all attempts, and the longest pause between
    two pieces of its body. `ca_file` has the CA certificates to trust instead of the system's. A service
    outside of the platform is reached through the environment's proxies.
    """

    def create_transport(proxy: str | None = None) -> httpx2.AsyncBaseTransport:
        return httpx2.AsyncHTTPTransport(
            verify=create_tls_context(ca_file),
            limits=httpx2.Limits(max_connections=max_connections, max_keepalive_connections=max_connections),
            proxy=proxy,
        )

    inner = _ProxyTransport(create_transport) if uses_proxy else create_transport()
    return httpx2.AsyncClient(
        transport=_Transport(service, inner, deadline_seconds, max_response_bytes),
        timeout=httpx2.Timeout(deadline_seconds, connect=_CONNECT_SECONDS),
        follow_redirects=False,
    )


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Read the seconds to wait before a retry (RFC 9110, 10.2.3); None without a valid header."""
    value = headers.get("retry-after", "")
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


@cache
def create_tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Create what all clients share: to read the certificates takes longer than all else in creating one."""
    return ssl.create_default_context(cafile=ca_file) if ca_file else httpx2.create_ssl_context()


class _Transport(httpx2.AsyncBaseTransport):
    """A transport that repeats, bounds and counts requests."""

    def __init__(
        self, service: str, inner: httpx2.AsyncBaseTransport, deadline_seconds: float, max_bytes: int
    ) -> None:
        self._service = service
        self._inner = inner
        self._deadline_seconds = deadline_seconds
        self._max_bytes = max_bytes

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request, again if it may be; the response's body is still to be read."""
        with open_span(f"{request.method} {self._service}", "client", {"peer.service": self._service}):
            request.headers["traceparent"] = build_traceparent()
            return await self._send_counted(request)

    async def _send_counted(self, request: httpx2.Request) -> httpx2.Response:
        started = time.monotonic()
        deadline = started + min(self._deadline_seconds, compute_remaining_seconds())
        try:
            response = await self._send_until(deadline, request)
        except httpx2.TimeoutException:
            REQUESTS.labels(self._service, "timeout").inc()
            raise
        except httpx2.TransportError:
            REQUESTS.labels(self._service, "unreachable").inc()
            raise
        finally:
            REQUEST_SECONDS.labels(self._service).observe(time.monotonic() - started)
        REQUESTS.labels(self._service, f"{response.status_code // 100}xx").inc()
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _BoundedStream(response.stream, self._max_bytes)
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()

    async def _send_until(self, deadline: float, request: httpx2.Request) -> httpx2.Response:
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                return await self._send(deadline, request)
        except TimeoutError as error:
            raise httpx2.ReadTimeout("The deadline has passed.", request=request) from error

    async def _send(self, deadline: float, request: httpx2.Request) -> httpx2.Response:
        attempts = _MAX_ATTEMPTS if _may_be_repeated(request) else 1
        for attempt in range(1, attempts + 1):
            pause = random.uniform(0, _FIRST_PAUSE_SECONDS * 2**attempt)  # noqa: S311 - no secret
            try:
                response = await self._inner.handle_async_request(request)
            except httpx2.TransportError as error:
                if attempt == attempts or time.monotonic() + pause >= deadline:
                    raise
                outcome = type(error).__name__
            else:
                pause = max(pause, read_retry_after(response.headers) or 0.0)
                is_final = response.status_code not in _TEMPORARY_STATUSES or attempt == attempts
                if is_final or pause > _MAX_PAUSE_SECONDS or time.monotonic() + pause >= deadline:
                    return response
                await response.aclose()
                outcome = str(response.status_code)
            get_logger().info("Request is repeated", to=self._service, attempt=attempt, outcome=outcome)
            await asyncio.sleep(pause)
        raise AssertionError("the last attempt returns or raises")


class _ProxyTransport(httpx2.AsyncBaseTransport):
    """A transport through the proxies in HTTPS_PROXY and HTTP_PROXY, except to the hosts in NO_PROXY."""

    def __init__(self, create_transport: Callable[[str | None], httpx2.AsyncBaseTransport]) -> None:
        self._direct = create_transport(None)
        self._proxied = {
            scheme: create_transport(url if "://" in url else f"http://{url}")
            for scheme, url in getproxies().items()
            if scheme in {"http", "https"}
        }

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request to its host's proxy, or to the host itself."""
        proxied = self._proxied.get(request.url.scheme)
        if proxied is None or proxy_bypass(request.url.host):
            return await self._direct.handle_async_request(request)
        return await proxied.handle_async_request(request)

    async def aclose(self) -> None:
        """Close the connections."""
        for transport in (self._direct, *self._proxied.values()):
            await transport.aclose()


class _BoundedStream(httpx2.AsyncByteStream):
    """The body of a response, which may not be larger than its limit."""

    def __init__(self, inner: httpx2.AsyncByteStream, max_bytes: int) -> None:
        self._inner = inner
        self._left = max_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._inner:
            self._left -= len(chunk)
            if self._left < 0:
                raise httpx2.ReadError("The response is too large.")
            yield chunk

    async def aclose(self) -> None:
        """Close the connection, or return it to the pool."""
        await self._inner.aclose()


def _may_be_repeated(request: httpx2.Request) -> bool:
    is_idempotent = (
        request.method in _REPEATABLE_METHODS
        or "idempotency-key" in request.headers
        or bool(request.extensions.get(IDEMPOTENT))
    )
    # Another body is a stream that has been read.
    return is_idempotent and isinstance(request.stream, httpx2.ByteStream)
