"""Content codings: compressed answers are decoded piece by piece, and never to more than is allowed."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import Protocol

import brotli
from backports import zstd

# What RFC 9659 allows a sender to have in its window, as a power of two.
_ZSTD_WINDOW = 23


class ContentError(Exception):
    """An answer that cannot be decoded; the message tells why."""


class ContentTooLargeError(ContentError):
    """An answer that is larger than allowed once it is decoded."""


class _Decompressor(Protocol):
    def __call__(self, chunk: bytes, allowed: int, /) -> bytes:
        """More of the content, at most about as much as is allowed."""
        ...


class Decoder:
    """Decodes one answer."""

    __slots__ = ("_decompress",)

    def __init__(self, coding: str) -> None:
        try:
            self._decompress = _CODINGS[coding]()
        except KeyError:
            raise ContentError(f"the content coding {coding[:40]!r} is not known") from None

    def feed(self, chunk: bytes, allowed: int) -> bytes:
        """What a chunk becomes, of so many bytes at most.

        Raises:
            ContentTooLargeError: there is more than is allowed.
            ContentError: it is not of the coding.
        """
        try:
            # One byte more, as only that tells whether there are too many.
            content = self._decompress(chunk, allowed + 1)
        except (zlib.error, brotli.error, zstd.ZstdError, EOFError) as error:
            raise ContentError(f"the answer cannot be decoded: {error}") from None
        if len(content) > allowed:
            raise ContentTooLargeError("the answer is too large once it is decoded")
        return content


def _gzip() -> _Decompressor:
    """There may be several members, one after the other (RFC 1952, 2.2)."""
    inner = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)

    def decompress(chunk: bytes, allowed: int, /) -> bytes:
        nonlocal inner
        content = inner.decompress(chunk, allowed)
        while inner.eof and inner.unused_data and len(content) < allowed:
            rest, inner = inner.unused_data, zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
            content += inner.decompress(rest, allowed - len(content))
        return content

    return decompress


def _deflate() -> _Decompressor:
    """Some send what the name says, without the wrapping that the standard means by it."""
    inner = zlib.decompressobj()
    begun = False

    def decompress(chunk: bytes, allowed: int, /) -> bytes:
        nonlocal inner, begun
        if not begun and chunk:
            begun = True
            if chunk[0] & 0x0F != zlib.DEFLATED:
                inner = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        return inner.decompress(chunk, allowed)

    return decompress


def _brotli() -> _Decompressor:
    inner = brotli.Decompressor()

    def decompress(chunk: bytes, allowed: int, /) -> bytes:
        content: bytes = inner.process(chunk, output_buffer_limit=allowed)
        while len(content) < allowed and not inner.can_accept_more_data():
            content += inner.process(b"", output_buffer_limit=allowed - len(content))
        return content

    return decompress


def _zstd() -> _Decompressor:
    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW}
    return zstd.ZstdDecompressor(options=options).decompress


_CODINGS: Mapping[str, Callable[[], _Decompressor]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
CODINGS = ("gzip", "deflate", "br", "zstd")
IDENTITY = frozenset({"", "identity"})
