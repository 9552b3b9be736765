"""The subgraphs of the market, which execute what they are sent: a request that is not valid has no data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from functools import cache
from typing import Any

from graphql import GraphQLSchema, build_schema, graphql_sync

from tests.router.executor.shop import Graph, graph
from tests.support.planning import SUPERGRAPHS

Object = Mapping[str, Any]


def market(roots: Mapping[str, Object], *entities: Object) -> AbstractAsyncContextManager[Graph]:
    """Serves the market: what each subgraph's root fields return, and all entities with their `__typename`.

    A field with arguments is given as a function of `info` and of these.
    """
    known = {(each["__typename"], each.get("id") or each["code"]): each for each in entities}

    def entities_of(_info: Any, representations: list[Object]) -> list[Object]:
        keys = [(each["__typename"], each.get("id") or each["code"]) for each in representations]
        return [{**known[key], **each} for key, each in zip(keys, representations, strict=True)]

    def serve(name: str) -> Any:
        def answer(body: Object) -> Object:
            root = {**roots.get(name, {}), "_entities": entities_of}
            variables = body.get("variables")
            result = graphql_sync(_executable(name), body["query"], root, variable_values=variables)
            return result.formatted

        return answer

    return graph("market", **{name: serve(name) for name in ("shop", "money", "ledger")})


@cache
def _executable(name: str) -> GraphQLSchema:
    """A subgraph's schema with the field that federation asks for entities."""
    text = (SUPERGRAPHS / "market" / f"{name}.graphql").read_text()
    keyed = re.findall(r"^type (\w+).* @key\(", text, re.MULTILINE)
    root = "extend type Query" if "type Query" in text else "type Query"
    entities = f"""
        scalar _Any
        union _Entity = {" | ".join(keyed)}
        {root} {{ _entities(representations: [_Any!]!): [_Entity]! }}
    """
    return build_schema(text + entities, assume_valid_sdl=True)
