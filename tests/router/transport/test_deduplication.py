"""Identical fetches under way."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web

from router.json_text import decode
from router.telemetry import Metrics
from router.transport.address import Address
from router.transport.base import FetchFailure, FetchOutcome, RequestContext
from router.transport.deduplication import Deduplication
from router.transport.http import HttpTransport
from router.transport.http_client import HttpClient

QUERY = b'{"query":"{books{title}}"}'
MUTATION = b'{"query":"mutation{rename}"}'


def context(authorization: str | None = None, agent: str = "a") -> RequestContext:
    return RequestContext(authorization, "00-trace", (("user-agent", agent),))


class Books:
    """A subgraph that answers once it may, and the fetches that are on their way to it."""

    def __init__(self, body: bytes) -> None:
        self.asked = 0
        self.body = body
        self.may_answer = asyncio.Event()

    async def answer(self, _: web.Request) -> web.StreamResponse:
        self.asked += 1
        await self.may_answer.wait()
        return web.Response(body=self.body)

    async def reached(self, times: int) -> None:
        async with asyncio.timeout(60):
            while self.asked < times:  # noqa: ASYNC110 - the server has no event for it
                await asyncio.sleep(0.005)


@asynccontextmanager
async def serve_app(
    body: bytes = b'{"data":{"books":[{"title":"Moon"}]}}',
) -> AsyncIterator[tuple[Books, Deduplication]]:
    books = Books(body)
    app = web.Application()
    app.router.add_post("/graphql", books.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    async with HttpClient() as client:
        urls = {"books": Address.parse(f"http://{host}:{port}/graphql")}
        yield books, Deduplication(HttpTransport(client, urls, 5.0, Metrics()), Metrics())
    await runner.cleanup()


async def test_one_is_sent_and_each_gets_an_answer_of_its_own():
    async with serve_app() as (books, transport):
        fetches = [asyncio.create_task(transport.fetch("books", QUERY, context())) for _ in range(3)]
        await books.reached(1)
        books.may_answer.set()
        answers = await asyncio.gather(*fetches)
        assert answers == [{"data": {"books": [{"title": "Moon"}]}}] * 3
        assert (books.asked, len({id(answer["data"]["books"]) for answer in answers})) == (1, 3)


async def test_those_of_other_callers_and_other_clients_and_mutations_are_sent():
    async with serve_app() as (books, transport):
        asked = [
            transport.fetch("books", QUERY, context()),
            transport.fetch("books", QUERY, context("Bearer a")),
            transport.fetch("books", QUERY, context("Bearer b")),
            transport.fetch("books", QUERY, context(agent="b")),
            transport.fetch("books", MUTATION, context()),
            transport.fetch("books", MUTATION, context()),
        ]
        fetches = [asyncio.create_task(each) for each in asked]
        await books.reached(6)
        books.may_answer.set()
        await asyncio.gather(*fetches)
        assert books.asked == 6


async def test_when_the_first_leaves_another_asks():
    async with serve_app() as (books, transport):
        first = asyncio.create_task(transport.fetch("books", QUERY, context()))
        await books.reached(1)
        others = [asyncio.create_task(transport.fetch("books", QUERY, context())) for _ in range(2)]
        await asyncio.sleep(0)
        first.cancel()
        await books.reached(2)
        books.may_answer.set()
        assert await asyncio.gather(*others) == [{"data": {"books": [{"title": "Moon"}]}}] * 2
        assert books.asked == 2


async def test_when_another_leaves_the_rest_are_answered():
    async with serve_app() as (books, transport):
        fetches = [asyncio.create_task(transport.fetch("books", QUERY, context())) for _ in range(3)]
        await books.reached(1)
        fetches[1].cancel()
        books.may_answer.set()
        answers = await asyncio.gather(*fetches, return_exceptions=True)
        assert [isinstance(answer, dict) for answer in answers] == [True, False, True]


@pytest.mark.parametrize(
    "body",
    [b'{"data":{"a":' + b"[" * 260 + b"]" * 260 + b"}}", b'{"data":{"a":123456789012345678901234567890}}'],
)
async def test_whatever_the_answer_is_all_who_wait_have_it(body: bytes):
    async with serve_app(body) as (books, transport):
        fetches = [asyncio.create_task(transport.fetch("books", QUERY, context())) for _ in range(4)]
        await books.reached(1)
        books.may_answer.set()
        answers = await asyncio.gather(*fetches)
    assert answers == [decode(body)] * 4
    assert books.asked == 1


async def test_one_who_waits_has_a_deadline_of_its_own():
    async with serve_app() as (books, transport):
        first = asyncio.create_task(transport.fetch("books", QUERY, context()))
        await books.reached(1)
        hurried = replace(context(), deadline=time.monotonic() + 0.01)
        answer = await transport.fetch("books", QUERY, hurried)
        assert isinstance(answer, FetchFailure)
        assert answer.outcome is FetchOutcome.DEADLINE
        assert answer["errors"][0]["extensions"]["serviceName"] == "books"
        books.may_answer.set()
        assert "errors" not in await first
