"""The workload: a town library in four subgraphs, which respond fast, so that only the router is measured.

`python -m infra.bench.router.workload PORT` serves each subgraph at `/NAME/graphql`. Each distinct request is
executed once; later ones are served from memory.
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

Object = dict[str, Any]

READERS = 6
LOANS = 4
NEIGHBOURS = 3
BOOKS = 12

QUERY = """
query Library {
  readers {
    id name street
    loans { id days fee book { ...BookFields neighbours { ...BookFields } } }
  }
  news { ...BookFields neighbours { ...BookFields neighbours { ...BookFields } } }
}

fragment BookFields on Book { isbn title pages weight postage copies }
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


def build_federated_sdl(name: str) -> str:
    """Build a subgraph's schema with its federation link, for composition."""
    return _LINK + SCHEMAS[name]


def create_app() -> Starlette:
    """Serve every subgraph at `/NAME/graphql`, and the number of requests so far at `/fetches`."""
    schemas = {name: _build_executable_schema(name) for name in SCHEMAS}
    responses: dict[tuple[str, bytes], bytes] = {}
    fetches = 0

    async def execute(request: Request) -> Response:
        nonlocal fetches
        fetches += 1
        name, body = request.path_params["subgraph"], await request.body()
        if (name, body) not in responses:
            params = orjson.loads(body)
            result = graphql_sync(
                schemas[name], params["query"], _Root(name), variable_values=params.get("variables")
            )
            responses[name, body] = orjson.dumps(result.formatted)
        return Response(responses[name, body], media_type="application/json")

    async def count_fetches(_: Request) -> Response:
        return JSONResponse(fetches)

    return Starlette(
        routes=[Route("/fetches", count_fetches), Route("/{subgraph}/graphql", execute, methods=["POST"])]
    )


class _Root:
    """The root resolvers of a subgraph."""

    def __init__(self, subgraph: str) -> None:
        self._resolve_entity = _ENTITY_RESOLVERS[subgraph]

    def readers(self, _: Any) -> list[Object]:
        return [_resolve_reader({"id": number}) for number in range(READERS)]

    def news(self, _: Any) -> list[Object]:
        return [_resolve_book({"isbn": number}) for number in range(BOOKS)]

    def _entities(self, _: Any, representations: list[Object]) -> list[Object]:
        return [
            self._resolve_entity(representation) | {"__typename": representation["__typename"]}
            for representation in representations
        ]


def _resolve_reader(representation: Object) -> Object:
    return representation | {
        "name": f"Reader {representation['id']}",
        "street": f"{representation['id']} Harbour Street",
    }


def _resolve_book(representation: Object) -> Object:
    number = int(representation["isbn"])
    return representation | {
        "title": f"The {number}th Voyage",
        "pages": 100 + 7 * number,
        "weight": 250 + 10 * number,
        "neighbours": lambda _: [
            _resolve_book({"isbn": (number + step) % BOOKS}) for step in range(1, NEIGHBOURS + 1)
        ],
    }


def _resolve_loans(representation: Object) -> Object:
    first = int(representation["id"]) * LOANS
    loans = [
        {"id": number, "days": number % 21, "fee": 5 * number, "book": {"isbn": number % BOOKS}}
        for number in range(first, first + LOANS)
    ]
    return representation | {"loans": loans}


def _resolve_stock(representation: Object) -> Object:
    postage = 100 + representation.get("weight", 0) // 2
    return representation | {"postage": postage, "copies": 1 + int(representation["isbn"]) % 5}


_ENTITY_RESOLVERS: Mapping[str, Callable[[Object], Object]] = {
    "readers": _resolve_reader,
    "catalogue": _resolve_book,
    "loans": _resolve_loans,
    "store": _resolve_stock,
}


def _build_executable_schema(name: str) -> GraphQLSchema:
    entities = {"readers": "Reader", "loans": "Reader", "catalogue": "Book", "store": "Book"}
    root = "" if "type Query" in SCHEMAS[name] else "type Query { _: Boolean }"
    sdl = f"{SCHEMAS[name]} {root} {_ENTITIES} union _Entity = {entities[name]}"
    # Execution does not need the federation directives, so they stay undefined.
    return build_schema(sdl, assume_valid_sdl=True)


if __name__ == "__main__":
    uvicorn.run(create_app(), port=int(sys.argv[1]), log_level="warning", access_log=False)
