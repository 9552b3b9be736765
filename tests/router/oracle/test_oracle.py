"""On generated graphs, the router answers like execution of the public schema on the same data.

Every field is a function of its object and of its inputs, so missing or wrong inputs change its value.
Subgraphs refuse requests that are not valid against their schema, fields that they do not resolve, and
representations that lack a key or a required field. Where fields fail, `data` is the same and each error is
reported at its field; further errors are allowed only below a null that another failure caused. Plans of
small queries are compared with the minimal number of requests, found by trying all plans.
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
from tests.router.oracle.fuzzing import CONTEXT, Counts, compare_run, fuzz, generate_graphs, open_graph
from tests.router.oracle.operations import Operations
from tests.router.oracle.serving import Run, ServedSubgraphs
from tests.router.oracle.shrinking import format_report, shrink
from tests.support.serving import serve_app

GRAPHS = 20
OPERATIONS = 20


@pytest.mark.parametrize("start", range(0, 200, GRAPHS))
def test_generated_operations_on_generated_graphs_are_answered_as_by_one_server(start: int):
    counts = Counts()

    found = [
        format_report(*shrink(graph, finding))
        for _, graph, finding in fuzz(range(start, start + GRAPHS), OPERATIONS, counts, limit=1)
    ]

    assert found == []
    assert counts.graphs >= GRAPHS // 2
    assert counts.operations >= counts.graphs * OPERATIONS * 0.9
    assert counts.proved


@pytest.mark.parametrize("start", range(400, 430, 10))
async def test_corrupted_values_of_subgraphs_break_no_operation(start: int):
    """Nothing is raised, and the answer can be encoded."""
    corrupted = 0
    for seed, schemas, composed in generate_graphs(range(start, start + 10)):
        graph = open_graph(schemas, composed)
        if graph is None:
            continue
        random = Random(seed)  # noqa: S311 - a seed makes it repeatable
        writer = Operations(graph.api, random)
        for request in filter(None, (writer.generate_request() for _ in range(20))):
            try:
                compiled = graph.compile(request)
            except UnplannableOperationError:
                continue
            variables = coerce_variables(compiled.operation, request.variables[0])
            assert isinstance(variables, dict)
            for _ in range(3):
                graph.served.run = Run()
                transport = CorruptingTransport(graph.served, random)
                seen = await execute(compiled, ExecutionRequest(variables, transport, CONTEXT))
                assert seen.data is None or isinstance(seen.data, dict)
                encode({"data": seen.data, "errors": seen.errors})
                corrupted += transport.corrupted
    assert corrupted > 100


class CorruptingTransport:
    """A transport that replaces one value of each answer."""

    def __init__(self, served: ServedSubgraphs, random: Random) -> None:
        self._served = served
        self._random = random
        self.corrupted = 0

    async def fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
        answer: dict[str, Any] = decode(encode(await self._served.fetch(subgraph, body, context)))
        places = [*_iterate_places(answer["data"])] if isinstance(answer.get("data"), dict) else []
        if places:
            container, key = self._random.choice(places)
            container[key] = self._random.choice(CORRUPT_VALUES)
            self.corrupted += 1
        return answer


CORRUPT_VALUES: list[Any] = [
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


def _iterate_places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key, each in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(each, dict | list):
            yield from _iterate_places(each)


async def test_answers_over_http_equal_those_of_the_oracle():
    comparisons = 0
    for seed, schemas, composed in generate_graphs(range(300, 306)):
        graph = open_graph(schemas, composed)
        if graph is None:
            continue
        writer = Operations(graph.api, Random(seed))  # noqa: S311 - a seed makes it repeatable
        async with _serve_over_http(graph.served) as transport:
            for request in filter(None, (writer.generate_request() for _ in range(5))):
                assert (
                    await compare_run(graph.served, transport, graph.compile(request), request.first) is None
                )
                comparisons += 1
    assert comparisons >= 10


@asynccontextmanager
async def _serve_over_http(served: ServedSubgraphs) -> AsyncIterator[HttpTransport]:
    async with AsyncExitStack() as stack:
        addresses = {}
        for name in served.world.subgraphs:
            origin = await stack.enter_async_context(serve_app(_build_application(served, name)))
            addresses[name] = Address.parse(f"{origin}/graphql")
        client = await stack.enter_async_context(HttpClient())
        yield HttpTransport(client, addresses, 30.0, Metrics())


def _build_application(served: ServedSubgraphs, name: str) -> Starlette:
    async def answer(request: HttpRequest) -> Response:
        return JSONResponse(served.answer(name, await request.json()))

    return Starlette(routes=[Route("/graphql", answer, methods=["POST"])])
