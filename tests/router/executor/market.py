"""The subgraphs of the test supergraph `market`, which validate and execute the documents they receive."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from functools import cache
from typing import Any

from graphql import GraphQLSchema, build_schema, graphql_sync

from tests.router.executor.shop import Graph, run_graph
from tests.support.planning import SUPERGRAPHS

Object = Mapping[str, Any]


def run_market(roots: Mapping[str, Object], *entities: Object) -> AbstractAsyncContextManager[Graph]:
    """Serves the market: what each subgraph's root fields return, and all entities with their `__typename`.

    A field with arguments is given as a function of `info` and of these.
    """
    known = {(each["__typename"], each.get("id") or each["code"]): each for each in entities}

    def resolve_entities(_info: Any, representations: list[Object]) -> list[Object]:
        keys = [(each["__typename"], each.get("id") or each["code"]) for each in representations]
        return [{**known[key], **each} for key, each in zip(keys, representations, strict=True)]

    def build_answer(name: str) -> Any:
        def answer(body: Object) -> Object:
            root = {**roots.get(name, {}), "_entities": resolve_entities}
            variables = body.get("variables")
            result = graphql_sync(
                _build_executable_schema(name), body["query"], root, variable_values=variables
            )
            return result.formatted

        return answer

    return run_graph("market", **{name: build_answer(name) for name in ("shop", "money", "ledger")})


@cache
def _build_executable_schema(name: str) -> GraphQLSchema:
    """Builds the schema of a subgraph with its `_entities` field."""
    text = (SUPERGRAPHS / "market" / f"{name}.graphql").read_text()
    keyed = re.findall(r"^type (\w+).* @key\(", text, re.MULTILINE)
    root = "extend type Query" if "type Query" in text else "type Query"
    entities = f"""
        scalar _Any
        union _Entity = {" | ".join(keyed)}
        {root} {{ _entities(representations: [_Any!]!): [_Entity]! }}
    """
    return build_schema(text + entities, assume_valid_sdl=True)
