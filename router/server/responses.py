"""Answers as they leave: JSON of the accepted type, compressed for who takes that, kept by no shared cache.

Compressing is cheap, some 40 microseconds for 20 kilobytes; what is large is compressed in another thread.
Event streams are not compressed: each event would have to be flushed, which leaves little to gain.
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
from router.server.negotiation import ANSWERS, JSON, preferred, preferred_encoding

NEVER_KEPT = "no-store"
KEPT_BY_ITS_READER = "private, no-cache"
# Within a millisecond or so, all that the event loop spends on one answer.
INLINE_BYTES = 131_072


def _gzipped(body: bytes) -> bytes:
    compressor = zlib.compressobj(1, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return compressor.compress(body) + compressor.flush()


# What costs least comes first; levels are chosen for that too.
ENCODERS: Mapping[str, Callable[[bytes], bytes]] = {
    "zstd": lambda body: zstandard.ZstdCompressor(level=3).compress(body),
    "br": lambda body: brotli.compress(body, quality=1),
    "gzip": _gzipped,
}
ENCODINGS = tuple(ENCODERS)


class Responses:
    """Makes the answers to HTTP requests."""

    def __init__(self, settings: Connections) -> None:
        self._smallest = settings.compression_min_bytes if settings.compression else None
        self._vary = "accept, accept-encoding" if settings.compression else "accept"

    async def json(
        self, request: Request, value: Any, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Response:
        """A value in the JSON media type that the client likes best."""
        essence = preferred(request.headers.get("accept"), ANSWERS) or JSON
        named = {**(headers or {}), "content-type": f"{essence}; charset=utf-8", "vary": self._vary}
        if status != 200 or (isinstance(value, dict) and "errors" in value):
            named["cache-control"] = NEVER_KEPT
        elif request.method != "POST":
            named["cache-control"] = KEPT_BY_ITS_READER
        body = encode(value)
        if self._smallest is not None and len(body) >= self._smallest:
            body = await _compressed(request, body, named)
        return Response(body, status, named)


def retry_after(answer: Mapping[str, Any]) -> dict[str, str]:
    """The header that tells when to come back, where all that a client is told is to wait for services."""
    waits = [error.get("extensions", {}).get("retryAfter") for error in answer.get("errors", ())]
    if not waits or any((answer["data"] or {}).values()):
        return {}
    known = all(isinstance(seconds, int) and seconds > 0 for seconds in waits)
    return {"retry-after": str(max(waits))} if known else {}


async def _compressed(request: Request, body: bytes, headers: dict[str, str]) -> bytes:
    encoding = preferred_encoding(request.headers.get("accept-encoding"), ENCODINGS)
    if encoding is None:
        return body
    headers["content-encoding"] = encoding
    encoder = ENCODERS[encoding]
    if len(body) <= INLINE_BYTES:
        return encoder(body)
    return await asyncio.to_thread(encoder, body)


def security_headers(settings: Settings) -> list[tuple[str, str]]:
    """What every answer carries, whatever it is."""
    headers = [("x-content-type-options", "nosniff")]
    if settings.hsts_seconds:
        headers.append(("strict-transport-security", f"max-age={settings.hsts_seconds}"))
    return headers
