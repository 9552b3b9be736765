"""A fake of the graph that a subgraph under test queries: a small GraphQL server over given answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from graphql import FieldNode, OperationDefinitionNode, SelectionSetNode, parse, value_from_ast_untyped
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.support.serving import serve_app

Resolver = Callable[[dict[str, Any]], Any]


class GraphError(Exception):
    """Makes a field answer with an error of this code."""

    def __init__(self, code: str, message: str = "No.") -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class FakeGraph:
    """A running server; `answers` may be changed while it runs, `requests` records what it received."""

    answers: dict[str, Any]
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)

    def resolve(self, body: dict[str, Any]) -> dict[str, Any]:
        """Answer a query: each field is cut to what was selected of it."""
        variables = body.get("variables") or {}
        operation = next(
            definition
            for definition in parse(body["query"]).definitions
            if isinstance(definition, OperationDefinitionNode)
        )
        try:
            return {"data": _select(self.answers, operation.selection_set, variables)}
        except GraphError as error:
            return {
                "data": None,
                "errors": [{"message": str(error), "extensions": {"code": error.code}}],
            }


def _select(value: Any, selections: SelectionSetNode | None, variables: dict[str, Any]) -> Any:
    if isinstance(value, GraphError):
        raise value
    if selections is None or value is None:
        return value
    if isinstance(value, list):
        return [_select(item, selections, variables) for item in value]
    fields = [node for node in selections.selections if isinstance(node, FieldNode)]
    return {
        (node.alias or node.name).value: _select(
            _resolve_value(value[node.name.value], node, variables), node.selection_set, variables
        )
        for node in fields
    }


def _resolve_value(value: Any, node: FieldNode, variables: dict[str, Any]) -> Any:
    if not callable(value):
        return value
    return value(
        {
            argument.name.value: value_from_ast_untyped(argument.value, variables)
            for argument in node.arguments or ()
        }
    )


@asynccontextmanager
async def serve_graph(answers: Mapping[str, Any]) -> AsyncIterator[FakeGraph]:
    """Serve a graph of these root fields; use its `url` as GRAPH_URL.

    A value is JSON, a function of the field's arguments that returns JSON, or a GraphError.
    """
    graph = FakeGraph(dict(answers))

    async def answer(request: Request) -> JSONResponse:
        body = await request.json()
        graph.requests.append({**body, "headers": dict(request.headers)})
        return JSONResponse(graph.resolve(body))

    async with serve_app(Starlette(routes=[Route("/graphql", answer, methods=["POST"])])) as address:
        graph.url = f"{address}/graphql"
        yield graph
