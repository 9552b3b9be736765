"""Incremental decoding of compressed responses, up to a size limit."""

import gzip
import zlib
from collections.abc import Callable

import brotli
import pytest
from backports import zstd

from router.transport.content_coding import ContentDecoder, ContentError, ContentTooLargeError

TEXT = b'{"data":{"s":"x"}}' * 1000


def compress_raw_deflate(content: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(content) + compressor.flush()


CODINGS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("gzip", lambda content: gzip.compress(content[:100]) + gzip.compress(content[100:])),
    ("x-gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", compress_raw_deflate),
    ("br", brotli.compress),
    ("zstd", zstd.compress),
]


@pytest.mark.parametrize(("coding", "compress"), CODINGS)
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_content_is_decoded_however_it_is_split(coding: str, compress: Callable[[bytes], bytes], size: int):
    decoder, sent = ContentDecoder(coding), compress(TEXT)
    chunks = [sent[start : start + size] for start in range(0, len(sent), size)]
    assert b"".join(decoder.feed(chunk, len(TEXT)) for chunk in chunks) == TEXT


@pytest.mark.parametrize(("coding", "compress"), CODINGS)
def test_content_over_the_size_limit_is_refused(coding: str, compress: Callable[[bytes], bytes]):
    with pytest.raises(ContentTooLargeError):
        ContentDecoder(coding).feed(compress(TEXT), len(TEXT) - 1)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_malformed_content_is_an_error(coding: str):
    with pytest.raises(ContentError, match="cannot be decoded"):
        ContentDecoder(coding).feed(b'{"data":{"s":"plain"}}' * 10, 1000)


def test_an_unknown_coding_is_an_error():
    with pytest.raises(ContentError, match="'compress' is not supported"):
        ContentDecoder("compress")
