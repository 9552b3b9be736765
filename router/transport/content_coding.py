"""Content codings (RFC 9110 section 8.4): incremental decompression with a bounded output."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import Protocol

import brotli
from backports import zstd

# The maximum window size that RFC 9659 allows, as a power of two.
_ZSTD_WINDOW = 23


class ContentError(Exception):
    """The content cannot be decoded; the message says why."""


class ContentTooLargeError(ContentError):
    """The decoded content exceeds the allowed size."""


class _Decompressor(Protocol):
    def __call__(self, chunk: bytes, allowed: int, /) -> bytes:
        """More of the content, about `allowed` bytes at most."""
        ...


class ContentDecoder:
    """Decodes the content of one response."""

    __slots__ = ("_decompress",)

    def __init__(self, coding: str) -> None:
        try:
            self._decompress = _CODINGS[coding]()
        except KeyError:
            raise ContentError(f"the content coding {coding[:40]!r} is not supported") from None

    def feed(self, chunk: bytes, allowed: int) -> bytes:
        """Decodes a chunk to at most `allowed` bytes.

        Raises:
            ContentTooLargeError: it decodes to more.
            ContentError: it is not in this coding.
        """
        try:
            # One byte more shows whether the content is too large.
            content = self._decompress(chunk, allowed + 1)
        except (zlib.error, brotli.error, zstd.ZstdError, EOFError) as error:
            raise ContentError(f"the response cannot be decoded: {error}") from None
        if len(content) > allowed:
            raise ContentTooLargeError("the decoded response is too large")
        return content


def _create_gzip() -> _Decompressor:
    """A gzip stream may have several members (RFC 1952 section 2.2)."""
    inner = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)

    def decompress(chunk: bytes, allowed: int, /) -> bytes:
        nonlocal inner
        content = inner.decompress(chunk, allowed)
        while inner.eof and inner.unused_data and len(content) < allowed:
            rest, inner = inner.unused_data, zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
            content += inner.decompress(rest, allowed - len(content))
        return content

    return decompress


def _create_deflate() -> _Decompressor:
    """`deflate` means the zlib format (RFC 9110 section 8.4.1.2), but some servers send raw deflate."""
    inner = zlib.decompressobj()
    has_started = False

    def decompress(chunk: bytes, allowed: int, /) -> bytes:
        nonlocal inner, has_started
        if not has_started and chunk:
            has_started = True
            if chunk[0] & 0x0F != zlib.DEFLATED:
                inner = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        return inner.decompress(chunk, allowed)

    return decompress


def _create_brotli() -> _Decompressor:
    inner = brotli.Decompressor()

    def decompress(chunk: bytes, allowed: int, /) -> bytes:
        content: bytes = inner.process(chunk, output_buffer_limit=allowed)
        while len(content) < allowed and not inner.can_accept_more_data():
            content += inner.process(b"", output_buffer_limit=allowed - len(content))
        return content

    return decompress


def _create_zstd() -> _Decompressor:
    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW}
    return zstd.ZstdDecompressor(options=options).decompress


_CODINGS: Mapping[str, Callable[[], _Decompressor]] = {
    "gzip": _create_gzip,
    "x-gzip": _create_gzip,
    "deflate": _create_deflate,
    "br": _create_brotli,
    "zstd": _create_zstd,
}
CODINGS = ("gzip", "deflate", "br", "zstd")
IDENTITY = frozenset({"", "identity"})
