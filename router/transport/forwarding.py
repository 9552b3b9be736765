"""Forwarding of requests that are not GraphQL to the paths of a subgraph, with streamed responses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from router.errors import BadGatewayError
from router.transport.address import Address
from router.transport.http_client import CONNECT_SECONDS

MAX_CHUNK_BYTES = 65_536
# They belong to the connection (RFC 9110 section 7.6.1), or the router's server sets them itself.
_DROPPED = frozenset({b"connection", b"keep-alive", b"transfer-encoding", b"upgrade", b"date", b"server"})


@dataclass(frozen=True, slots=True)
class ForwardedResponse:
    """The response of a subgraph, whose body is being received."""

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    chunks: AsyncIterator[bytes]


class Forwarding:
    """Sends requests to the subgraphs' own paths; responses fail when idle for `idle_timeout` seconds."""

    def __init__(
        self, session: aiohttp.ClientSession, addresses: Mapping[str, Address], idle_timeout: float
    ) -> None:
        self._session = session
        self._addresses = addresses
        self._timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_SECONDS, sock_read=idle_timeout
        )

    @asynccontextmanager
    async def forward(
        self, subgraph: str, method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes
    ) -> AsyncIterator[ForwardedResponse]:
        """Sends one request; its response must be read within the block.

        Raises:
            BadGatewayError: there is no such subgraph, or no response.
        """
        address = self._addresses.get(subgraph)
        if address is None:
            raise BadGatewayError(f"There is no subgraph {subgraph} to pass a request on to")
        parts = urlsplit(address.url)
        try:
            response = await self._session.request(
                method,
                URL(f"{parts.scheme}://{parts.netloc}{target}", encoded=True),
                headers=headers,
                data=BytesIO(body) if body else None,
                allow_redirects=False,
                auto_decompress=False,
                ssl=address.tls or True,
                timeout=self._timeout,
                skip_auto_headers=("accept", "accept-encoding", "content-type", "user-agent"),
            )
        except (aiohttp.ClientError, OSError) as error:
            raise _build_error(error) from error
        async with response:
            yield ForwardedResponse(response.status, _select_headers(response), _read_chunks(response))


async def _read_chunks(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.content.iter_chunked(MAX_CHUNK_BYTES):
            yield chunk
    except (aiohttp.ClientError, OSError) as error:
        raise _build_error(error) from error


def _select_headers(response: aiohttp.ClientResponse) -> list[tuple[bytes, bytes]]:
    pairs = ((name.lower(), value) for name, value in response.raw_headers)
    return [(name, value) for name, value in pairs if name not in _DROPPED]


def _build_error(error: Exception) -> BadGatewayError:
    return BadGatewayError(f"A request that was passed on failed: {str(error) or type(error).__name__}")
