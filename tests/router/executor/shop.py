"""Subgraphs with given answers over HTTP, and the executor in front of them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from router.executor import (
    ExecutionRequest,
    ExecutionResult,
    compile_operation,
    execute,
    execute_events,
    execute_incrementally,
)
from router.operation import coerce_variables
from router.planner import Planner
from router.telemetry import Metrics
from router.transport.address import Address
from router.transport.base import RequestContext
from router.transport.http import HttpTransport
from router.transport.http_client import HttpClient
from tests.support.planning import load_operation, load_supergraph
from tests.support.serving import serve_app

Answer = Mapping[str, Any] | Callable[[Any], Mapping[str, Any]]
CONTEXT = RequestContext(None, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")


@dataclass
class Graph:
    """A supergraph with given subgraph answers; `requests` records subgraph and body of each fetch."""

    name: str
    transport: HttpTransport
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def run(self, text: str, variables: Mapping[str, Any] | None = None) -> ExecutionResult:
        compiled = compile_operation(Planner(load_supergraph(self.name)), load_operation(self.name, text))
        return await execute(compiled, self._request(compiled.operation, variables))

    async def run_events(self, text: str, *events: Mapping[str, Any]) -> list[ExecutionResult]:
        compiled = compile_operation(Planner(load_supergraph(self.name)), load_operation(self.name, text))
        return await execute_events(compiled, events, self._request(compiled.operation, None))

    async def collect_payloads(self, text: str) -> list[dict[str, Any]]:
        compiled = compile_operation(
            Planner(load_supergraph(self.name)), load_operation(self.name, text), frozenset()
        )
        payloads = execute_incrementally(compiled, self._request(compiled.operation, None))
        return [payload async for payload in payloads]

    def list_representations(self, subgraph: str) -> list[dict[str, Any]]:
        """Lists the variables of the requests to a subgraph."""
        return [body.get("variables", {}) for name, body in self.requests if name == subgraph]

    def _request(self, operation: Any, variables: Mapping[str, Any] | None) -> ExecutionRequest:
        coerced = coerce_variables(operation, variables or {})
        assert isinstance(coerced, dict)
        return ExecutionRequest(coerced, self.transport, CONTEXT)


@asynccontextmanager
async def run_graph(name: str, **answers: Answer) -> AsyncIterator[Graph]:
    """Serves the subgraphs of a test supergraph; each answers with a response or a function of the body."""

    async def answer(request: Request) -> JSONResponse:
        subgraph = request.path_params["subgraph"]
        body = json.loads(await request.body())
        running.requests.append((subgraph, body))
        given = answers[subgraph]
        return JSONResponse(given(body) if callable(given) else given)

    app = Starlette(routes=[Route("/{subgraph}", answer, methods=["POST"])])
    async with serve_app(app) as origin, HttpClient() as client:
        urls = {
            subgraph: Address.parse(f"{origin}/{subgraph}") for subgraph in load_supergraph(name).subgraphs
        }
        running = Graph(name, HttpTransport(client, urls, 10, Metrics()))
        yield running


def build_error(message: str, *path: str | int, column: int, **more: Any) -> dict[str, Any]:
    """Builds an error for the client about a field in the first line of the document."""
    return {"message": message, "path": [*path], "locations": [{"line": 1, "column": column}], **more}


def build_data(**fields: Any) -> dict[str, Any]:
    """Builds a GraphQL response with data."""
    return {"data": fields}


def build_data_with_error(message: str, *path: str | int, **fields: Any) -> dict[str, Any]:
    """Builds a GraphQL response with data and an error at a path."""
    return {
        "data": fields,
        "errors": [{"message": message, "path": [*path], "extensions": {"code": "BROKEN"}}],
    }
