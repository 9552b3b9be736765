"""Fetches over HTTP from subgraphs, including ones that misbehave."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from router.telemetry import Metrics
from router.transport.address import Address
from router.transport.base import RequestContext
from router.transport.http import HttpTransport
from router.transport.http_client import HttpClient

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CONTEXT = RequestContext("Bearer token", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
FAILED = {
    "data": None,
    "errors": [
        {
            "message": "The service 'books' did not respond.",
            "extensions": {"code": "DOWNSTREAM_SERVICE_ERROR", "serviceName": "books"},
        }
    ],
}


@asynccontextmanager
async def open_transport(handler: Handler, patience: float = 5.0) -> AsyncIterator[HttpTransport]:
    app = web.Application()
    app.router.add_route("*", "/graphql", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    async with HttpClient() as client:
        yield HttpTransport(
            client, {"books": Address.parse(f"http://{host}:{port}/graphql")}, patience, Metrics()
        )
    await runner.cleanup()


def answer_with(**response: Any) -> Handler:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(**response)

    return handler


async def test_a_fetch_carries_the_body_the_token_and_the_trace():
    requests: list[Any] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        requests.append((request.method, dict(request.headers), await request.json()))
        return web.json_response({"data": {"a": 1}})

    async with open_transport(handler) as books:
        assert await books.fetch("books", b'{"query":"{a}"}', CONTEXT) == {"data": {"a": 1}}
    [(method, headers, body)] = requests
    assert (method, body) == ("POST", {"query": "{a}"})
    assert headers["Content-Type"] == "application/json"
    assert headers["Authorization"] == "Bearer token"
    assert headers["traceparent"] == CONTEXT.traceparent


async def test_an_anonymous_fetch_carries_no_token():
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.json_response({"data": {"token": request.headers.get("authorization")}})

    async with open_transport(handler) as books:
        anonymous = RequestContext(None, CONTEXT.traceparent)
        assert await books.fetch("books", b"{}", anonymous) == {"data": {"token": None}}


@pytest.mark.parametrize("status", [200, 400, 500])
async def test_a_graphql_answer_counts_whatever_its_status(status: int):
    body = b'{"data": null, "errors": [{"message": "torn"}]}'
    async with open_transport(answer_with(body=body, status=status)) as books:
        answer = await books.fetch("books", b"{}", CONTEXT)
    assert answer == {"data": None, "errors": [{"message": "torn"}]}


@pytest.mark.parametrize(
    "response",
    [
        {"text": "<h1>Bad Gateway</h1>", "status": 502},
        {"text": "", "status": 200},
        {"text": '{"data": {"a"', "status": 200},
        {"text": "[]"},
        {"text": "null"},
        {"text": "{}"},
        {"text": '{"data": null}'},
        {"text": '{"data": []}'},
        {"text": '{"errors": "torn"}'},
        {"text": '{"errors": ["torn"]}'},
        {"status": 302, "headers": {"location": "/graphql"}},
        {"body": b"\xff\xfe"},
    ],
)
async def test_an_answer_that_is_not_graphql_is_a_failure_of_the_service(response: dict[str, Any]):
    async with open_transport(answer_with(**response)) as books:
        assert await books.fetch("books", b"{}", CONTEXT) == FAILED


async def test_a_slow_subgraph_times_out():
    async def handler(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        return web.Response()

    async with open_transport(handler, patience=0.05) as books:
        assert await books.fetch("books", b"{}", CONTEXT) == FAILED


async def test_an_endless_body_times_out():
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b'{"data":')
        await asyncio.Event().wait()
        return response

    async with open_transport(handler, patience=0.05) as books:
        assert await books.fetch("books", b"{}", CONTEXT) == FAILED


async def test_a_connection_that_breaks_is_a_failure_of_the_service():
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-length": "100"})
        await response.prepare(request)
        await response.write(b'{"data":')
        assert request.transport is not None
        request.transport.abort()
        return response

    async with open_transport(handler) as books:
        assert await books.fetch("books", b"{}", CONTEXT) == FAILED


async def test_a_subgraph_that_is_down_is_a_failure_of_the_service():
    async with HttpClient() as client:
        books = HttpTransport(client, {"books": Address.parse("http://127.0.0.1:1/graphql")}, 5.0, Metrics())
        assert await books.fetch("books", b"{}", CONTEXT) == FAILED


async def test_fetches_are_measured_by_subgraph_and_outcome():
    metrics = Metrics()
    async with HttpClient() as client:
        books = HttpTransport(client, {"books": Address.parse("http://127.0.0.1:1/graphql")}, 5.0, metrics)
        await books.fetch("books", b"{}", CONTEXT)
    labels = {"subgraph": "books", "outcome": "unreachable"}
    assert metrics.registry.get_sample_value("router_subgraph_fetch_seconds_count", labels) == 1.0
