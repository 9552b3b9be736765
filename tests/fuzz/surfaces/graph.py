"""Attacks on the schema: hostile argument values on every root field, and expensive selections."""

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
from tests.fuzz.attacks import ROUTER, SERVERS
from tests.fuzz.context import AttackContext
from tests.fuzz.registry import attack
from tests.fuzz.schemas import (
    build_nested_selection,
    build_operation,
    build_valid_arguments,
    list_argument_paths,
    list_root_fields,
    load_schema,
    replace_at,
)

# At most one of these per path, because each is costly even if it is rejected.
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


def generate_hostile_values(kind: GraphQLInputType, random: Random) -> Iterator[Any]:
    """Generate hostile values for a type, some of which may be valid."""
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
        yield random.choice(NUL)
        yield from random.sample(TEXTS, 4)
        yield random.choice(LARGE)
        yield random.choice((7, ["a"], {"a": 1}))


async def send_hostile_values(context: AttackContext, kind: str, name: str, field: GraphQLField) -> None:
    document = build_operation(kind, name, field)
    headers = [("accept", "text/event-stream")] if kind == "subscription" else []
    valid = build_valid_arguments(field, context.parent)
    for path, type_ in list_argument_paths(field):
        for value in generate_hostile_values(type_, context.random):
            # All enclosing objects exist, because `valid` contains optional arguments too.
            await context.execute(document, replace_at(valid, path, value), headers)
    await context.execute(document, {}, headers)


def _register(target: str) -> None:
    for kind, name, field in list_root_fields(target):
        if not field.args:
            continue

        @attack(f"graph.{kind}.{name}", [target])
        async def launch(
            context: AttackContext, kind: str = kind, name: str = name, field: GraphQLField = field
        ) -> None:
            await send_hostile_values(context, kind, name, field)


for each in SERVERS:
    _register(each)


@attack("graph.cyclic-nesting", ROUTER)
async def cyclic_nesting(context: AttackContext) -> None:
    """Books with 32 pages each, whose pages lead back to the book."""
    below = "id"
    for _ in range(context.random.choice([4, 5, 7])):
        below = f"book {{ pages {{ {below} }} }}"
    await context.execute(f'{{ book(id: "{context.parent.book}") {{ pages {{ {below} }} }} }}')


@attack("graph.nested-lists", ROUTER)
async def nested_lists(context: AttackContext) -> None:
    """Selections nested through lists, in depth and in breadth."""
    schema = load_schema("router")
    assert schema.query_type is not None
    for depth, copies in ((4, 25), (8, 8), (14, 3), (17, 1)):
        for name in ("me", "printProducts"):
            field = schema.query_type.fields[name]
            below = build_nested_selection(schema, context.random, field.type, depth, copies)
            await context.execute(f"{{ {name} {below} }}")


@attack("graph.wide-lists", ROUTER)
async def wide_lists(context: AttackContext) -> None:
    """The maximum number of items under many aliases."""
    aliases = " ".join(f"a{n}: books(first: 100) {{ nodes {{ title pages {{ text }} }} }}" for n in range(20))
    await context.execute(f"{{ me {{ {aliases} }} }}")
    costs = " ".join(
        f'a{n}: cost(pageCount: 32, countryCode: "US", shippingLevel: MAIL, quantity: {n}) {{ __typename }}'
        for n in range(1, 91)
    )
    await context.execute(f"{{ printProducts {{ {costs} }} }}")


@attack("graph.entities", DOMAINS)
async def entities(context: AttackContext) -> None:
    """Hostile entity representations, sent directly to a subgraph."""
    document = "query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }"
    own = [{"__typename": "Book", "id": context.parent.book}]
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
        await context.execute(document, {"r": representations})
    await context.execute("{" + " ".join(f"a{n}: _service {{ sdl }}" for n in range(900)) + "}")


@attack("graph.defer-everywhere", ROUTER)
async def defer_everywhere(context: AttackContext) -> None:
    below = "id"
    for n in range(8):
        below = f'... @defer(label: "l{n}") {{ books {{ nodes {{ id ... @defer {{ title }} }} }} {below} }}'
    accept = [("accept", "multipart/mixed; deferSpec=20220824, application/json")]
    await context.execute(f"{{ me {{ {below} }} }}", headers=accept)
    many = " ".join(f"... @defer {{ a{n}: displayName books {{ nodes {{ id }} }} }}" for n in range(60))
    await context.execute(f"{{ me {{ {many} }} }}", headers=accept)
