"""What the attacked graphs can be asked: their schemas, and operations written from them."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from random import Random
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    build_ast_schema,
    get_named_type,
    is_leaf_type,
    parse,
)

from infra.checkout import ROOT
from router.supergraph import Supergraph
from tests.fuzz.parent import DESCRIPTION, MARKER, PASSWORD, Parent

Path = tuple[str | int, ...]


@cache
def schema_of(target: str) -> GraphQLSchema:
    """The schema that a process serves."""
    if target == "router":
        return Supergraph.parse((ROOT / "schema/supergraph.graphql").read_text()).public_schema
    document = parse((ROOT / f"schema/{target}.graphql").read_text())
    return build_ast_schema(document, assume_valid=True, assume_valid_sdl=True)


def root_fields(target: str) -> Iterator[tuple[str, str, GraphQLField]]:
    """Each field of the roots with the kind of operation that has it."""
    schema = schema_of(target)
    roots = {
        "query": schema.query_type,
        "mutation": schema.mutation_type,
        "subscription": schema.subscription_type,
    }
    for kind, root in roots.items():
        for name, field in (root.fields if root else {}).items():
            if not name.startswith("_"):
                yield kind, name, field


def operation(kind: str, name: str, field: GraphQLField) -> str:
    """An operation of one root field, whose arguments are variables."""
    arguments = {argument: f"${argument}" for argument in field.args}
    declared = ", ".join(f"${argument}: {field.args[argument].type}" for argument in arguments)
    given = ", ".join(f"{argument}: {value}" for argument, value in arguments.items())
    head = f"{kind} ({declared}) " if declared else f"{kind} "
    return f"{head}{{ {name}{f'({given})' if given else ''} {selection(field.type)} }}"


def selection(kind: GraphQLOutputType) -> str:
    """What is asked of a value: all that is there without asking further."""
    named = get_named_type(kind)
    if is_leaf_type(named):
        return ""
    if not isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
        return "{ __typename }"
    leaves = [name for name, field in named.fields.items() if is_leaf_type(get_named_type(field.type))]
    return f"{{ __typename {' '.join(leaves)} }}"


def nest(schema: GraphQLSchema, chance: Random, kind: GraphQLOutputType, depth: int, copies: int) -> str:
    """A selection that goes down through lists as often as it can, each time several times side by side."""
    named = get_named_type(kind)
    if is_leaf_type(named):
        return ""
    if depth <= 0 or not isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
        return "{ __typename }"
    ways = [
        (name, field)
        for name, field in named.fields.items()
        if not is_leaf_type(get_named_type(field.type))
        and not any(isinstance(argument.type, GraphQLNonNull) for argument in _required(field))
    ]
    if not ways:
        return selection(kind)
    lists = [way for way in ways if _is_list(way[1].type)]
    name, field = chance.choice(lists or ways)
    below = nest(schema, chance, field.type, depth - 1, 1)
    return "{" + " ".join(f"a{n}: {name} {below}" for n in range(copies)) + "}"


def _required(field: GraphQLField) -> list[Any]:
    return [argument for argument in field.args.values() if argument.default_value is None]


def _is_list(kind: GraphQLOutputType) -> bool:
    while isinstance(kind, GraphQLNonNull):
        kind = kind.of_type
    return isinstance(kind, GraphQLList) or get_named_type(kind).name.endswith("Connection")


def values(field: GraphQLField, parent: Parent) -> dict[str, Any]:
    """Arguments that are as they should be."""
    return {name: _value(name, argument.type, parent) for name, argument in field.args.items()}


def places(field: GraphQLField) -> Iterator[tuple[Path, GraphQLInputType]]:
    """Every place among the arguments, those within input objects and lists too, with its type."""
    for name, argument in field.args.items():
        yield from _places((name,), argument.type)


def _places(path: Path, kind: GraphQLInputType) -> Iterator[tuple[Path, GraphQLInputType]]:
    yield path, kind
    inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    if isinstance(inner, GraphQLList):
        yield from _places((*path, 0), inner.of_type)
    elif isinstance(inner, GraphQLInputObjectType):
        for name, field in inner.fields.items():
            yield from _places((*path, name), field.type)


def put(values: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """The arguments with another value at one place."""
    changed = deepcopy(values)
    at: Any = changed
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return changed


def _value(name: str, kind: GraphQLInputType, parent: Parent) -> Any:
    inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    if isinstance(inner, GraphQLList):
        return [_value(name, inner.of_type, parent)]
    if isinstance(inner, GraphQLInputObjectType):
        return {each: _value(each, field.type, parent) for each, field in inner.fields.items()}
    if isinstance(inner, GraphQLEnumType):
        return next(iter(inner.values))
    if inner.name in ("Int", "Float"):
        return 1
    if inner.name == "Boolean":
        return True
    return _texts(parent).get(name, "fox")


def _texts(parent: Parent) -> dict[str, str]:
    # What would begin long work or end what others need names something that is not there.
    return {
        "id": "ord_01k00000000000000000000000",
        "bookId": "book_01k00000000000000000000000",
        "childId": parent.child,
        "pageId": parent.page,
        "email": f"{MARKER.lower()}.{parent.child}@example.com",
        "password": PASSWORD,
        "name": f"{MARKER} Mia",
        "birthMonth": str(DESCRIPTION["birthMonth"]),
        "language": "en",
        "policyVersion": "2026-11",
        "countryCode": "US",
        "region": "OR",
        "postalCode": "97201",
        "phone": "+1 503 555 0100",
        "paymentMethod": "pm_card_visa",
        "productId": "casewrap-8.5-square",
    }
