"""Deduplication of identical concurrent fetches."""

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
from router.transport.response_admission import ResponseAdmission

QUERY = b'{"query":"{books{title}}"}'
MUTATION = b'{"query":"mutation{rename}"}'


def build_context(authorization: str | None = None, agent: str = "a") -> RequestContext:
    return RequestContext(authorization, "00-trace", (("user-agent", agent),))


class Books:
    """A subgraph that counts its requests and answers them once `may_answer` is set."""

    def __init__(self, body: bytes) -> None:
        self.request_count = 0
        self.body = body
        self.may_answer = asyncio.Event()

    async def answer(self, _: web.Request) -> web.StreamResponse:
        self.request_count += 1
        await self.may_answer.wait()
        return web.Response(body=self.body)

    async def wait_for_requests(self, times: int) -> None:
        async with asyncio.timeout(60):
            while self.request_count < times:  # noqa: ASYNC110 - the server has no event for it
                await asyncio.sleep(0.005)


@asynccontextmanager
async def open_deduplication(
    body: bytes = b'{"data":{"books":[{"title":"Moon"}]}}', patience: float = 60.0
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
        yield (
            books,
            Deduplication(
                HttpTransport(client, urls, 5.0, Metrics()), Metrics(), ResponseAdmission(), patience
            ),
        )
    await runner.cleanup()


async def test_identical_fetches_are_sent_once_and_each_gets_its_own_answer():
    async with open_deduplication() as (books, transport):
        fetches = [asyncio.create_task(transport.fetch("books", QUERY, build_context())) for _ in range(3)]
        await books.wait_for_requests(1)
        books.may_answer.set()
        answers = await asyncio.gather(*fetches)
        assert answers == [{"data": {"books": [{"title": "Moon"}]}}] * 3
        assert (books.request_count, len({id(answer["data"]["books"]) for answer in answers})) == (1, 3)


async def test_fetches_of_other_callers_or_clients_and_mutations_are_not_shared():
    async with open_deduplication() as (books, transport):
        coroutines = [
            transport.fetch("books", QUERY, build_context()),
            transport.fetch("books", QUERY, build_context("Bearer a")),
            transport.fetch("books", QUERY, build_context("Bearer b")),
            transport.fetch("books", QUERY, build_context(agent="b")),
            transport.fetch("books", MUTATION, build_context()),
            transport.fetch("books", MUTATION, build_context()),
        ]
        fetches = [asyncio.create_task(each) for each in coroutines]
        await books.wait_for_requests(6)
        books.may_answer.set()
        await asyncio.gather(*fetches)
        assert books.request_count == 6


async def test_when_the_sender_is_cancelled_a_waiter_sends_the_fetch():
    async with open_deduplication() as (books, transport):
        first = asyncio.create_task(transport.fetch("books", QUERY, build_context()))
        await books.wait_for_requests(1)
        others = [asyncio.create_task(transport.fetch("books", QUERY, build_context())) for _ in range(2)]
        await asyncio.sleep(0)
        first.cancel()
        await books.wait_for_requests(2)
        books.may_answer.set()
        assert await asyncio.gather(*others) == [{"data": {"books": [{"title": "Moon"}]}}] * 2
        assert books.request_count == 2


async def test_a_cancelled_waiter_does_not_affect_the_others():
    async with open_deduplication() as (books, transport):
        fetches = [asyncio.create_task(transport.fetch("books", QUERY, build_context())) for _ in range(3)]
        await books.wait_for_requests(1)
        fetches[1].cancel()
        books.may_answer.set()
        answers = await asyncio.gather(*fetches, return_exceptions=True)
        assert [isinstance(answer, dict) for answer in answers] == [True, False, True]


@pytest.mark.parametrize(
    "body",
    [b'{"data":{"a":' + b"[" * 260 + b"]" * 260 + b"}}", b'{"data":{"a":123456789012345678901234567890}}'],
)
async def test_deep_and_large_answers_reach_all_waiters(body: bytes):
    async with open_deduplication(body) as (books, transport):
        fetches = [asyncio.create_task(transport.fetch("books", QUERY, build_context())) for _ in range(4)]
        await books.wait_for_requests(1)
        books.may_answer.set()
        answers = await asyncio.gather(*fetches)
    assert answers == [decode(body)] * 4
    assert books.request_count == 1


async def test_a_waiter_has_its_own_deadline():
    async with open_deduplication() as (books, transport):
        first = asyncio.create_task(transport.fetch("books", QUERY, build_context()))
        await books.wait_for_requests(1)
        short = replace(build_context(), deadline=time.monotonic() + 0.01)
        answer = await transport.fetch("books", QUERY, short)
        assert isinstance(answer, FetchFailure)
        assert answer.outcome is FetchOutcome.DEADLINE
        assert answer["errors"][0]["extensions"]["serviceName"] == "books"
        books.may_answer.set()
        assert "errors" not in await first


async def test_a_waiter_without_a_deadline_stops_waiting_all_the_same():
    async with open_deduplication(patience=0.05) as (books, transport):
        first = asyncio.create_task(transport.fetch("books", QUERY, build_context()))
        await books.wait_for_requests(1)
        answer = await transport.fetch("books", QUERY, build_context())
        assert isinstance(answer, FetchFailure)
        assert (answer.outcome, first.done()) == (FetchOutcome.TIMEOUT, False)
        books.may_answer.set()
        assert "errors" not in await first
