"""The router answers what execution of the clients' schema on the same data answers, for generated graphs.

Every field is a function of its object and of what it depends on, so a subgraph that is told too little, or
something else, shows it. Subgraphs refuse what is not valid against their schema, what they do not resolve
there, and representations that lack a key or a required field. Where fields fail, `data` is the same and each
error stands at its field; further errors may only stand where a failure beside them left nothing. Plans of
small queries are compared with the best that trying finds.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random

import pytest
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from router.executor.address import Address
from router.executor.http_client import HttpClient
from router.executor.subgraph import HttpTransport
from router.telemetry import Metrics
from tests.router.library import serving
from tests.router.oracle.fuzzing import Counts, compared, fuzz, graphs_of, opened
from tests.router.oracle.operations import Operations
from tests.router.oracle.serving import ServedSubgraphs
from tests.router.oracle.shrinking import report, shrunk

GRAPHS = 20
OPERATIONS = 20


@pytest.mark.parametrize("start", range(0, 200, GRAPHS))
def test_generated_operations_on_generated_graphs_are_answered_as_by_one_server(start: int):
    counts = Counts()

    found = [
        report(*shrunk(graph, finding))
        for _, graph, finding in fuzz(range(start, start + GRAPHS), OPERATIONS, counts, most=1)
    ]

    assert found == []
    assert counts.graphs >= GRAPHS // 2
    assert counts.operations >= counts.graphs * OPERATIONS * 0.9
    assert counts.proved


async def test_it_is_the_same_over_http():
    compared_ = 0
    for seed, schemas, composed in graphs_of(range(300, 306)):
        graph = opened(schemas, composed)
        if graph is None:
            continue
        writer = Operations(graph.api, Random(seed))  # noqa: S311 - a seed makes it repeatable
        async with _over_http(graph.served) as transport:
            for request in filter(None, (writer.request() for _ in range(5))):
                assert await compared(graph.served, transport, graph.prepared(request), request.first) is None
                compared_ += 1
    assert compared_ >= 10


@asynccontextmanager
async def _over_http(served: ServedSubgraphs) -> AsyncIterator[HttpTransport]:
    async with AsyncExitStack() as stack:
        addresses = {}
        for name in served.world.subgraphs:
            origin = await stack.enter_async_context(serving(_application(served, name)))
            addresses[name] = Address.of(f"{origin}/graphql")
        client = await stack.enter_async_context(HttpClient())
        yield HttpTransport(client, addresses, 30.0, Metrics())


def _application(served: ServedSubgraphs, name: str) -> Starlette:
    async def answer(request: HttpRequest) -> Response:
        return JSONResponse(served.answered(name, await request.json()))

    return Starlette(routes=[Route("/graphql", answer, methods=["POST"])])
