"""The router answers what execution of the clients' schema on the same data answers, for generated graphs.

Every field is a function of its object and of what it depends on, so a subgraph that is told too little, or
something else, shows it. Subgraphs refuse what is not valid against their schema, what they do not resolve
there, and representations that lack a key or a required field. Where fields fail, `data` is the same and each
error stands at its field; further errors may only stand where a failure beside them left nothing. Plans of
small queries are compared with the best that trying finds.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from router.errors import UnplannableOperationError
from router.executor import ExecutionRequest, execute
from router.json_text import decode, encode
from router.operation import coerce_variables
from router.telemetry import Metrics
from router.transport.address import Address
from router.transport.base import RequestContext
from router.transport.http import HttpTransport
from router.transport.http_client import HttpClient
from tests.router.library import serve_app
from tests.router.oracle.fuzzing import CONTEXT, Counts, compare, fuzz, graphs_of, open_graph
from tests.router.oracle.operations import Operations
from tests.router.oracle.serving import Run, ServedSubgraphs
from tests.router.oracle.shrinking import report, shrink

GRAPHS = 20
OPERATIONS = 20


@pytest.mark.parametrize("start", range(0, 200, GRAPHS))
def test_generated_operations_on_generated_graphs_are_answered_as_by_one_server(start: int):
    counts = Counts()

    found = [
        report(*shrink(graph, finding))
        for _, graph, finding in fuzz(range(start, start + GRAPHS), OPERATIONS, counts, limit=1)
    ]

    assert found == []
    assert counts.graphs >= GRAPHS // 2
    assert counts.operations >= counts.graphs * OPERATIONS * 0.9
    assert counts.proved


@pytest.mark.parametrize("start", range(400, 430, 10))
async def test_no_record_of_a_subgraph_breaks_an_operation(start: int):
    """Whatever stands in place of a value: nothing is raised, and what is answered can be sent."""
    broken = 0
    for seed, schemas, composed in graphs_of(range(start, start + 10)):
        graph = open_graph(schemas, composed)
        if graph is None:
            continue
        random = Random(seed)  # noqa: S311 - a seed makes it repeatable
        writer = Operations(graph.api, random)
        for request in filter(None, (writer.request() for _ in range(20))):
            try:
                compiled = graph.compile(request)
            except UnplannableOperationError:
                continue
            variables = coerce_variables(compiled.operation, request.variables[0])
            assert isinstance(variables, dict)
            for _ in range(3):
                graph.served.run = Run()
                transport = Corrupting(graph.served, random)
                seen = await execute(compiled, ExecutionRequest(variables, transport, CONTEXT))
                assert seen.data is None or isinstance(seen.data, dict)
                encode({"data": seen.data, "errors": seen.errors})
                broken += transport.broken
    assert broken > 100


class Corrupting:
    """Subgraphs that send something else in place of one value of each answer."""

    def __init__(self, served: ServedSubgraphs, random: Random) -> None:
        self._served = served
        self._random = random
        self.broken = 0

    async def fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
        answer: dict[str, Any] = decode(encode(await self._served.fetch(subgraph, body, context)))
        places = [*_places(answer["data"])] if isinstance(answer.get("data"), dict) else []
        if places:
            container, key = self._random.choice(places)
            container[key] = self._random.choice(STRANGE)
            self.broken += 1
        return answer


STRANGE: list[Any] = [
    None,
    True,
    0,
    -1.5,
    2**70,
    "",
    "Ant",
    [],
    [None],
    [[]],
    {},
    {"__typename": []},
    ["Ant"],
]


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key, each in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(each, dict | list):
            yield from _places(each)


async def test_it_is_the_same_over_http():
    compared_ = 0
    for seed, schemas, composed in graphs_of(range(300, 306)):
        graph = open_graph(schemas, composed)
        if graph is None:
            continue
        writer = Operations(graph.api, Random(seed))  # noqa: S311 - a seed makes it repeatable
        async with _over_http(graph.served) as transport:
            for request in filter(None, (writer.request() for _ in range(5))):
                assert await compare(graph.served, transport, graph.compile(request), request.first) is None
                compared_ += 1
    assert compared_ >= 10


@asynccontextmanager
async def _over_http(served: ServedSubgraphs) -> AsyncIterator[HttpTransport]:
    async with AsyncExitStack() as stack:
        addresses = {}
        for name in served.world.subgraphs:
            origin = await stack.enter_async_context(serve_app(_application(served, name)))
            addresses[name] = Address.parse(f"{origin}/graphql")
        client = await stack.enter_async_context(HttpClient())
        yield HttpTransport(client, addresses, 30.0, Metrics())


def _application(served: ServedSubgraphs, name: str) -> Starlette:
    async def answer(request: HttpRequest) -> Response:
        return JSONResponse(served.answer(name, await request.json()))

    return Starlette(routes=[Route("/graphql", answer, methods=["POST"])])
