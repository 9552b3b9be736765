"""A subgraph that hangs up in the middle of its answer."""

import asyncio

import pytest

from tests.router.trouble.misbehaving import PARTIAL, http, library, saying

WHOLE = b'{"data": {"_entities": [{"stars": 4}, {"stars": 5}]}}'
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        http(WHOLE)[:-20],
        HEAD,
        HEAD + b"\r\n" + WHOLE[:-20],
        HEAD + b"transfer-encoding: chunked\r\n\r\n10\r\n" + WHOLE[:16] + b"\r\n",
        HEAD + b"transfer-encoding: chunked\r\n\r\n40\r\n" + WHOLE[:16],
    ],
)
async def test_it_has_not_answered(answer: bytes):
    async with library(saying(answer), retries=0) as running:
        assert await running.ask() == PARTIAL


async def test_a_query_is_asked_once_more():
    answers = [http(WHOLE)[:-20], http(WHOLE)]

    async def improving(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answers.pop(0))
        await writer.drain()

    async with library(improving) as running:
        answer = await running.ask()
    assert answer == {"data": {"books": [{"title": "Moon", "stars": 4}, {"title": "Sea", "stars": 5}]}}
