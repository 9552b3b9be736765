"""Answers in the forms that servers send them in."""

import gzip
import zlib

import brotli
import pytest
from backports import zstd

from tests.router.trouble.single import data, http, single

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
async def test_a_compressed_answer_is_an_answer_whether_it_was_asked_for_or_not(coding: str, body: bytes):
    async with single(http(body, extra=f"content-encoding: {coding}\r\n")) as running:
        assert await running.ask("{ s }") == {"data": {"s": "x"}}
        assert b"\r\naccept-encoding: identity\r\n" in running.heads[0]


async def test_the_codings_that_are_set_are_asked_for():
    async with single(data(s="x"), subgraph_compression="zstd,gzip") as running:
        await running.ask("{ s }")
    assert b"\r\naccept-encoding: zstd, gzip\r\n" in running.heads[0]


async def test_a_small_answer_that_becomes_a_large_one_is_given_up():
    bomb = gzip.compress(b" " * 10_000_000)
    async with single(http(bomb, extra="content-encoding: gzip\r\n"), max_response_bytes=100_000) as running:
        assert (await running.ask("{ s }"))["data"] == {"s": None}


async def test_half_a_character_is_replaced_and_costs_nothing_else():
    async with single(http(b'{"data":{"s":"ab\\ud83d","i":1}}')) as running:
        assert await running.ask("{ s i }") == {"data": {"s": "ab\ufffd", "i": 1}}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (http(b'{"data":{"s":NaN}}'), "unexpected character"),
        (http(b'{"data":{"f":1e400}}'), "infinity"),
        (http(b'\xef\xbb\xbf{"data":{"s":"x"}}'), "byte order mark"),
        (http(b'{"data":{"s":"\xff"}}'), "UTF-8"),
        (http(b"", "302 Found", extra="location: http://b/?token=secret\r\n"), "redirects to 'http://b/'"),
        (http(b"x", extra="content-encoding: compress\r\n"), "'compress' is not supported"),
    ],
)
async def test_why_an_answer_is_none_is_logged(answer: bytes, reason: str, caplog: pytest.LogCaptureFixture):
    async with single(answer) as running:
        assert (await running.ask("{ s f }"))["data"] == {"s": None, "f": None}
    record = next(each for each in caplog.records if each.message == "A fetch failed")
    logged = record.__dict__["metadata"]["reason"]
    assert reason in logged
    assert "secret" not in logged
