"""Content codings, charsets and other variations of a subgraph's response."""

import gzip
import zlib

import brotli
import pytest
from backports import zstd

from tests.router.trouble.single import (
    build_chunked_response,
    build_data_response,
    build_response,
    run_single,
)

TEXT = b'{"data":{"s":"x"}}'


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(TEXT, mtime=0)),
        ("deflate", zlib.compress(TEXT)),
        ("br", brotli.compress(TEXT)),
        ("zstd", zstd.compress(TEXT)),
        ("identity", TEXT),
    ],
)
async def test_a_compressed_answer_is_decoded_although_none_was_requested(coding: str, body: bytes):
    async with run_single(build_response(body, extra=f"content-encoding: {coding}\r\n")) as running:
        assert await running.execute("{ s }") == {"data": {"s": "x"}}
        assert b"\r\naccept-encoding: identity\r\n" in running.heads[0]


async def test_the_configured_codings_are_accepted():
    async with run_single(build_data_response(s="x"), subgraph_compression="zstd,gzip") as running:
        await running.execute("{ s }")
    assert b"\r\naccept-encoding: zstd, gzip\r\n" in running.heads[0]


async def test_a_decompression_bomb_is_refused():
    bomb = gzip.compress(b" " * 10_000_000)
    async with run_single(
        build_response(bomb, extra="content-encoding: gzip\r\n"), max_response_bytes=100_000
    ) as running:
        assert (await running.execute("{ s }"))["data"] == {"s": None}


async def test_a_lone_surrogate_is_replaced_and_the_rest_is_kept():
    async with run_single(build_response(b'{"data":{"s":"ab\\ud83d","i":1}}')) as running:
        assert await running.execute("{ s i }") == {"data": {"s": "ab\ufffd", "i": 1}}


async def test_a_lone_surrogate_in_an_event_is_replaced_and_the_stream_goes_on():
    event = b'event: next\ndata: {"data":{"json":"ab\\ud83d"}}\n\n'
    answer = build_chunked_response(event, event, b"event: complete\n\n")
    async with run_single(lambda *_: answer) as running:
        text = await running.fetch_text("subscription { json }", accept="text/event-stream")
    assert text.count('{"data":{"json":"ab\ufffd"}}') == 2


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (build_response(b'{"data":{"s":NaN}}'), "unexpected character"),
        (build_response(b'{"data":{"f":1e400}}'), "infinity"),
        (build_response(b'\xef\xbb\xbf{"data":{"s":"x"}}'), "byte order mark"),
        (build_response(b'{"data":{"s":"\xff"}}'), "UTF-8"),
        (
            build_response(b"", "302 Found", extra="location: http://b/?token=secret\r\n"),
            "redirects to 'http://b/'",
        ),
        (build_response(b"x", extra="content-encoding: compress\r\n"), "'compress' is not supported"),
    ],
)
async def test_the_reason_for_an_unusable_answer_is_logged(
    answer: bytes, reason: str, caplog: pytest.LogCaptureFixture
):
    async with run_single(answer) as running:
        assert (await running.execute("{ s f }"))["data"] == {"s": None, "f": None}
    record = next(each for each in caplog.records if each.message == "A fetch failed")
    logged = record.__dict__["metadata"]["reason"]
    assert reason in logged
    assert "secret" not in logged
