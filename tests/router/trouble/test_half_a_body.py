"""A subgraph that closes the connection in the middle of its answer."""

import asyncio

import pytest

from tests.router.trouble.misbehaving import PARTIAL, answer_with, build_response, run_library

WHOLE = b'{"data": {"_entities": [{"stars": 4}, {"stars": 5}]}}'
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        build_response(WHOLE)[:-20],
        HEAD,
        HEAD + b"\r\n" + WHOLE[:-20],
        HEAD + b"transfer-encoding: chunked\r\n\r\n10\r\n" + WHOLE[:16] + b"\r\n",
        HEAD + b"transfer-encoding: chunked\r\n\r\n40\r\n" + WHOLE[:16],
    ],
)
async def test_it_counts_as_unanswered(answer: bytes):
    async with run_library(answer_with(answer), retries=0) as running:
        assert await running.execute() == PARTIAL


async def test_the_query_is_retried_once():
    answers = [build_response(WHOLE)[:-20], build_response(WHOLE)]

    async def improving(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answers.pop(0))
        await writer.drain()

    async with run_library(improving) as running:
        answer = await running.execute()
    assert answer == {"data": {"books": [{"title": "Moon", "stars": 4}, {"title": "Sea", "stars": 5}]}}
