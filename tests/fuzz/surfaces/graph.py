"""The graph itself: a hostile value at every place of every root field's arguments, and expensive nests."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    get_nullable_type,
)

from subgraphs.domains import DOMAINS
from tests.fuzz.arena import Arena
from tests.fuzz.attacks import ROUTER, SERVERS, attack
from tests.fuzz.schemas import nest, operation, places, put, root_fields, schema_of, values

# At most one of these for each place: each costs something even where it is refused.
LARGE = (
    "x" * 70_000,
    "x" * 900_000,
    "a" + "\u0301" * 30_000 + "\u0327" * 30_000,
    "\ufdfa" * 40_000,
    "\U0001f469\u200d" * 20_000,
    " " * 500_000,
    "a@" + "b." * 100_000 + "c",
    "9" * 5_000,
)
TEXTS = (
    "",
    " ",
    "\x1b[2J\x1b]0;owned\x07",
    "\u202eabc\u202c",
    "\u200b\u200b\ufeff",
    "\U000e0041\U000e0042",
    "a\r\nb: c",
    "'; DROP TABLE books; --",
    "../../../etc/passwd",
    "%s%n%00{0.__class__}${7*7}{{7*7}}",
    "٣٤",
    "\u0130\u0131\u017f\u212a",
    "-1",
    "null",
    "book_01k00000000000000000000000",
    "book_zzzzzzzzzzzzzzzzzzzzzzzzzz",
    "usr_",
    "_",
    "🦊" * 300,
    "2020-99",
    "#set page(width: 1pt)",
    "<script>alert(1)</script>",
    "a" * 256,
    "\ud7ff\ue000\uffff",
)
NUMBERS = (0, -1, 2**31 - 1, -(2**31), 2**31, 2**53, 1.5, "1", True)
NUL = ("\x00", "fox\x00")


def hostile(kind: GraphQLInputType, chance: Random) -> Iterator[Any]:
    """Values for a place, some of which may even be legal there."""
    inner = get_nullable_type(kind)
    yield None
    if isinstance(inner, GraphQLList):
        yield from ([], [None], ["fox"] * 20_000, [[["fox"]]], "fox", {})
    elif isinstance(inner, GraphQLInputObjectType):
        yield from ({}, {"unknown": 1}, [], "text", {f"k{n}": n for n in range(3_000)})
    elif isinstance(inner, GraphQLEnumType):
        yield from ("", "NOTHING", 1, ["A"], "A\x00", "x" * 70_000)
    elif inner.name in ("Int", "Float"):
        yield from NUMBERS
    elif inner.name == "Boolean":
        yield from (0, "true", [], {})
    else:
        yield chance.choice(NUL)
        yield from chance.sample(TEXTS, 4)
        yield chance.choice(LARGE)
        yield chance.choice((7, ["a"], {"a": 1}))


async def ask_with_hostile_values(arena: Arena, kind: str, name: str, field: GraphQLField) -> None:
    document = operation(kind, name, field)
    headers = [("accept", "text/event-stream")] if kind == "subscription" else []
    good = values(field, arena.parent)
    for path, at in places(field):
        for value in hostile(at, arena.chance):
            # The place that is replaced may be optional: all above it are there.
            await arena.ask(document, put(good, path, value), headers)
    await arena.ask(document, {}, headers)


def _register(target: str) -> None:
    for kind, name, field in root_fields(target):
        if not field.args:
            continue

        @attack(f"graph.{kind}.{name}", [target])
        async def launch(
            arena: Arena, kind: str = kind, name: str = name, field: GraphQLField = field
        ) -> None:
            await ask_with_hostile_values(arena, kind, name, field)


for each in SERVERS:
    _register(each)


@attack("graph.pages-of-books-of-pages", ROUTER)
async def pages_of_books_of_pages(arena: Arena) -> None:
    """Thirty-two times thirty-two times thirty-two."""
    below = "id"
    for _ in range(arena.chance.choice([4, 5, 7])):
        below = f"book {{ pages {{ {below} }} }}"
    await arena.ask(f'{{ book(id: "{arena.parent.book}") {{ pages {{ {below} }} }} }}')


@attack("graph.nests", ROUTER)
async def nests(arena: Arena) -> None:
    """Through whatever lists lead down, beside each other and below each other."""
    schema = schema_of("router")
    assert schema.query_type is not None
    for depth, copies in ((4, 25), (8, 8), (14, 3), (17, 1)):
        for name in ("me", "printProducts"):
            field = schema.query_type.fields[name]
            below = nest(schema, arena.chance, field.type, depth, copies)
            await arena.ask(f"{{ {name} {below} }}")


@attack("graph.wide-lists", ROUTER)
async def wide_lists(arena: Arena) -> None:
    """As many items as may be asked for, by as many names as there may be."""
    aliases = " ".join(f"a{n}: books(first: 100) {{ nodes {{ title pages {{ text }} }} }}" for n in range(20))
    await arena.ask(f"{{ me {{ {aliases} }} }}")
    costs = " ".join(
        f'a{n}: cost(pageCount: 32, countryCode: "US", shippingLevel: MAIL, quantity: {n}) {{ __typename }}'
        for n in range(1, 91)
    )
    await arena.ask(f"{{ printProducts {{ {costs} }} }}")


@attack("graph.entities", DOMAINS)
async def entities(arena: Arena) -> None:
    """Representations, which only a router sends, sent by somebody else."""
    document = "query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }"
    own = [{"__typename": "Book", "id": arena.parent.book}]
    deep: Any = {"__typename": "Book", "id": 1}
    for _ in range(200):
        deep = {"__typename": "Book", "id": deep}
    representations: Any
    for representations in (
        own * 20_000,
        [{"__typename": "Book", "id": f"book_{n:026}"} for n in range(500)],
        [{"__typename": "Book", "id": f"book_{n:026}"} for n in range(5_000)],
        [{"__typename": "Unknown", "id": "1"}],
        [
            {"__typename": kind, "id": "\x00"}
            for kind in ("Book", "User", "Page", "Order", "PrintJob", "Generation")
        ],
        [{"__typename": "Book"}],
        [{"id": "1"}],
        [{"__typename": 7}],
        [{"__typename": "Book", "id": None}],
        [{"__typename": "Book", "id": ["a"]}],
        [{"__typename": "Book", "id": "x" * 900_000}],
        [{"__typename": "__Schema", "id": "1"}],
        [{"__typename": "Query"}],
        [deep],
        ["Book"],
        [None],
        [[]],
        {},
        "Book",
    ):
        await arena.ask(document, {"r": representations})
    await arena.ask("{" + " ".join(f"a{n}: _service {{ sdl }}" for n in range(900)) + "}")


@attack("graph.defer-everywhere", ROUTER)
async def defer_everywhere(arena: Arena) -> None:
    below = "id"
    for n in range(8):
        below = f'... @defer(label: "l{n}") {{ books {{ nodes {{ id ... @defer {{ title }} }} }} {below} }}'
    accept = [("accept", "multipart/mixed; deferSpec=20220824, application/json")]
    await arena.ask(f"{{ me {{ {below} }} }}", headers=accept)
    many = " ".join(f"... @defer {{ a{n}: displayName books {{ nodes {{ id }} }} }}" for n in range(60))
    await arena.ask(f"{{ me {{ {many} }} }}", headers=accept)
