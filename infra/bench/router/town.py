"""The workload: a town library in four subgraphs that answer quickly, so that the router is what is measured.

`python -m infra.bench.router.town PORT` serves each subgraph at its name. Answers are worked out by a real
schema, each once: who asks the same again is given the same bytes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import orjson
import uvicorn
from graphql import GraphQLSchema, build_schema, graphql_sync
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Value = dict[str, Any]

READERS = 6
LOANS = 4
NEIGHBOURS = 3
BOOKS = 12

QUERY = """
query Town {
  readers {
    id name street
    loans { id days fee book { ...Shelved neighbours { ...Shelved } } }
  }
  news { ...Shelved neighbours { ...Shelved neighbours { ...Shelved } } }
}

fragment Shelved on Book { isbn title pages weight postage copies }
"""

SCHEMAS: Mapping[str, str] = {
    "readers": """
        type Query { readers: [Reader!]! }
        type Reader @key(fields: "id") { id: ID! name: String! street: String! }
    """,
    "catalogue": """
        type Query { news: [Book!]! }
        type Book @key(fields: "isbn") {
          isbn: ID! title: String! pages: Int! weight: Int! neighbours: [Book!]!
        }
    """,
    "loans": """
        type Reader @key(fields: "id") { id: ID! loans: [Loan!]! }
        type Loan { id: ID! days: Int! fee: Int! book: Book! }
        type Book @key(fields: "isbn", resolvable: false) { isbn: ID! }
    """,
    "store": """
        type Book @key(fields: "isbn") {
          isbn: ID! weight: Int! @external postage: Int! @requires(fields: "weight") copies: Int!
        }
    """,
}

_LINK = """
    extend schema @link(
      url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@external", "@requires"]
    )
"""
_ENTITIES = """
    scalar _Any
    extend type Query { _entities(representations: [_Any!]!): [_Entity]! }
"""


def composable(name: str) -> str:
    """A subgraph's schema as the composer reads it."""
    return _LINK + SCHEMAS[name]


def create_app() -> Starlette:
    """Every subgraph at its name, and at `/fetches` how often they were asked."""
    schemas = {name: _executable(name) for name in SCHEMAS}
    known: dict[tuple[str, bytes], bytes] = {}
    fetches = 0

    async def answer(request: Request) -> Response:
        nonlocal fetches
        fetches += 1
        name, body = request.path_params["subgraph"], await request.body()
        if (name, body) not in known:
            asked = orjson.loads(body)
            result = graphql_sync(
                schemas[name], asked["query"], _Root(name), variable_values=asked.get("variables")
            )
            known[name, body] = orjson.dumps(result.formatted)
        return Response(known[name, body], media_type="application/json")

    async def count(_: Request) -> Response:
        return JSONResponse(fetches)

    return Starlette(
        routes=[Route("/fetches", count), Route("/{subgraph}/graphql", answer, methods=["POST"])]
    )


class _Root:
    """What the root fields of a subgraph answer."""

    def __init__(self, subgraph: str) -> None:
        self._entity = _PRESENTED[subgraph]

    def readers(self, _: Any) -> list[Value]:
        return [_reader({"id": number}) for number in range(READERS)]

    def news(self, _: Any) -> list[Value]:
        return [_described({"isbn": number}) for number in range(BOOKS)]

    def _entities(self, _: Any, representations: list[Value]) -> list[Value]:
        return [self._entity(each) | {"__typename": each["__typename"]} for each in representations]


def _reader(known: Value) -> Value:
    return known | {"name": f"Reader {known['id']}", "street": f"{known['id']} Harbour Street"}


def _described(known: Value) -> Value:
    number = int(known["isbn"])
    return known | {
        "title": f"The {number}th Voyage",
        "pages": 100 + 7 * number,
        "weight": 250 + 10 * number,
        "neighbours": lambda _: [
            _described({"isbn": (number + step) % BOOKS}) for step in range(1, NEIGHBOURS + 1)
        ],
    }


def _lending(known: Value) -> Value:
    first = int(known["id"]) * LOANS
    loans = [
        {"id": number, "days": number % 21, "fee": 5 * number, "book": {"isbn": number % BOOKS}}
        for number in range(first, first + LOANS)
    ]
    return known | {"loans": loans}


def _stored(known: Value) -> Value:
    postage = 100 + known.get("weight", 0) // 2
    return known | {"postage": postage, "copies": 1 + int(known["isbn"]) % 5}


_PRESENTED: Mapping[str, Callable[[Value], Value]] = {
    "readers": _reader,
    "catalogue": _described,
    "loans": _lending,
    "store": _stored,
}


def _executable(name: str) -> GraphQLSchema:
    entities = {"readers": "Reader", "loans": "Reader", "catalogue": "Book", "store": "Book"}
    root = "" if "type Query" in SCHEMAS[name] else "type Query { _: Boolean }"
    sdl = f"{SCHEMAS[name]} {root} {_ENTITIES} union _Entity = {entities[name]}"
    # The directives of federation are for the composer; to execute needs none of them.
    return build_schema(sdl, assume_valid_sdl=True)


if __name__ == "__main__":
    uvicorn.run(create_app(), port=int(sys.argv[1]), log_level="warning", access_log=False)
