"""JSON responses: in the accepted media type, compressed on request, and never in a shared cache.

Compression takes some 40 microseconds for 20 kilobytes; large bodies are compressed in another thread. Event
streams are not compressed, because flushing after each event leaves little to gain.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import brotli
import zstandard
from starlette.requests import Request
from starlette.responses import Response

from router.config.connections import Connections
from router.config.settings import Settings
from router.json_text import encode
from router.server.negotiation import JSON, RESULT_TYPES, negotiate_encoding, negotiate_type

NO_STORE = "no-store"
PRIVATE = "private, no-cache"
# Compressing this much takes the event loop about a millisecond.
MAX_INLINE_BYTES = 131_072


def _compress_gzip(body: bytes) -> bytes:
    compressor = zlib.compressobj(1, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return compressor.compress(body) + compressor.flush()


# The cheapest coding comes first, and levels are chosen for speed.
ENCODERS: Mapping[str, Callable[[bytes], bytes]] = {
    "zstd": lambda body: zstandard.ZstdCompressor(level=3).compress(body),
    "br": lambda body: brotli.compress(body, quality=1),
    "gzip": _compress_gzip,
}
ENCODINGS = tuple(ENCODERS)


class Responses:
    """Builds the responses to HTTP requests."""

    def __init__(self, settings: Connections) -> None:
        self._min_bytes = settings.compression_min_bytes if settings.compression else None
        self._vary = "accept, accept-encoding" if settings.compression else "accept"

    async def build_json(
        self, request: Request, value: Any, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Response:
        """A response with a value in the JSON media type that the client prefers."""
        essence = negotiate_type(request.headers.get("accept"), RESULT_TYPES) or JSON
        all_headers = {**(headers or {}), "content-type": f"{essence}; charset=utf-8", "vary": self._vary}
        if status != 200 or (isinstance(value, dict) and "errors" in value):
            all_headers["cache-control"] = NO_STORE
        elif request.method != "POST":
            all_headers["cache-control"] = PRIVATE
        body = encode(value)
        if self._min_bytes is not None and len(body) >= self._min_bytes:
            body = await _compress(request, body, all_headers)
        return Response(body, status, all_headers)


def build_retry_after_header(result: Mapping[str, Any]) -> dict[str, str]:
    """The `retry-after` header, if a result has no data and all of its errors say when to retry."""
    delays = [error.get("extensions", {}).get("retryAfter") for error in result.get("errors", ())]
    if not delays or any((result["data"] or {}).values()):
        return {}
    are_known = all(isinstance(seconds, int) and seconds > 0 for seconds in delays)
    return {"retry-after": str(max(delays))} if are_known else {}


async def _compress(request: Request, body: bytes, headers: dict[str, str]) -> bytes:
    encoding = negotiate_encoding(request.headers.get("accept-encoding"), ENCODINGS)
    if encoding is None:
        return body
    headers["content-encoding"] = encoding
    encoder = ENCODERS[encoding]
    if len(body) <= MAX_INLINE_BYTES:
        return encoder(body)
    return await asyncio.to_thread(encoder, body)


def build_security_headers(settings: Settings) -> list[tuple[str, str]]:
    """The headers of every response."""
    headers = [("x-content-type-options", "nosniff")]
    if settings.hsts_seconds:
        headers.append(("strict-transport-security", f"max-age={settings.hsts_seconds}"))
    return headers
