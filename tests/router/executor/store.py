"""Subgraphs that answer from one store, so that the router can be compared with plain execution."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson
from graphql import (
    GraphQLSchema,
    build_schema,
    graphql_sync,
    is_object_type,
    print_schema,
)

from router.supergraph import Supergraph
from router.transport.base import RequestContext

Pauses = Callable[[], int]


class StoreTransport:
    """Answers every fetch from the store, after yielding to the event loop `pauses()` times."""

    def __init__(self, graph: Supergraph, store: Mapping[str, Any], pauses: Pauses = lambda: 0) -> None:
        self._schema = _add_entities(graph)
        self._store = store
        self._pauses = pauses
        self.requests: list[tuple[str, str]] = []

    async def fetch(self, subgraph: str, body: bytes, _context: RequestContext) -> dict[str, Any]:
        """Executes a fetch on the store."""
        request = orjson.loads(body)
        self.requests.append((subgraph, request["query"]))
        for _ in range(self._pauses()):
            await asyncio.sleep(0)
        root = {**self._store, "_entities": self._resolve_entities}
        result = graphql_sync(self._schema, request["query"], root, variable_values=request.get("variables"))
        return {**result.formatted}

    def _resolve_entities(self, _info: Any, representations: list[dict[str, Any]]) -> list[Any]:
        return [
            next((each for each in _iterate_objects(self._store) if _matches(known, each)), None)
            for known in representations
        ]


def _add_entities(graph: Supergraph) -> GraphQLSchema:
    objects = " | ".join(
        name
        for name, type_ in graph.schema.type_map.items()
        if is_object_type(type_) and not name.startswith("__") and name != "Query"
    )
    entities = "extend type Query { _entities(representations: [_Any!]!): [_Entity]! }"
    whole = f"{print_schema(graph.schema)} scalar _Any union _Entity = {objects} {entities}"
    return build_schema(whole, assume_valid=True)


def _iterate_objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in items:
        yield from _iterate_objects(each)


def _matches(known: Any, value: Any) -> bool:
    if not isinstance(known, dict):
        return bool(known == value)
    return isinstance(value, dict) and all(
        name in value and _matches(known[name], value[name]) for name in known
    )
