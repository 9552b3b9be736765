"""The schemas of the attacked processes, and operations and arguments generated from them."""

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
from tests.fuzz.parent import CHILD_DETAILS, MARKER, PASSWORD, Parent

Path = tuple[str | int, ...]


@cache
def load_schema(target: str) -> GraphQLSchema:
    """Load the schema that a process serves."""
    if target == "router":
        return Supergraph.parse((ROOT / "schema/supergraph.graphql").read_text()).public_schema
    document = parse((ROOT / f"schema/{target}.graphql").read_text())
    return build_ast_schema(document, assume_valid=True, assume_valid_sdl=True)


def list_root_fields(target: str) -> Iterator[tuple[str, str, GraphQLField]]:
    """List every root field with its operation type."""
    schema = load_schema(target)
    roots = {
        "query": schema.query_type,
        "mutation": schema.mutation_type,
        "subscription": schema.subscription_type,
    }
    for kind, root in roots.items():
        for name, field in (root.fields if root else {}).items():
            if not name.startswith("_"):
                yield kind, name, field


def build_operation(kind: str, name: str, field: GraphQLField) -> str:
    """Build an operation with one root field, whose arguments are variables."""
    arguments = {argument: f"${argument}" for argument in field.args}
    declared = ", ".join(f"${argument}: {field.args[argument].type}" for argument in arguments)
    passed = ", ".join(f"{argument}: {value}" for argument, value in arguments.items())
    head = f"{kind} ({declared}) " if declared else f"{kind} "
    return f"{head}{{ {name}{f'({passed})' if passed else ''} {build_leaf_selection(field.type)} }}"


def build_leaf_selection(kind: GraphQLOutputType) -> str:
    """Build a selection of all leaf fields of a type."""
    named = get_named_type(kind)
    if is_leaf_type(named):
        return ""
    if not isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
        return "{ __typename }"
    leaves = [name for name, field in named.fields.items() if is_leaf_type(get_named_type(field.type))]
    return f"{{ __typename {' '.join(leaves)} }}"


def build_nested_selection(
    schema: GraphQLSchema, random: Random, kind: GraphQLOutputType, depth: int, copies: int
) -> str:
    """Build a selection nested through list fields if possible, repeated `copies` times at the top."""
    named = get_named_type(kind)
    if is_leaf_type(named):
        return ""
    if depth <= 0 or not isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
        return "{ __typename }"
    fields = [
        (name, field)
        for name, field in named.fields.items()
        if not is_leaf_type(get_named_type(field.type))
        and not any(isinstance(argument.type, GraphQLNonNull) for argument in _list_required(field))
    ]
    if not fields:
        return build_leaf_selection(kind)
    lists = [each for each in fields if _is_list(each[1].type)]
    name, field = random.choice(lists or fields)
    below = build_nested_selection(schema, random, field.type, depth - 1, 1)
    return "{" + " ".join(f"a{n}: {name} {below}" for n in range(copies)) + "}"


def _list_required(field: GraphQLField) -> list[Any]:
    return [argument for argument in field.args.values() if argument.default_value is None]


def _is_list(kind: GraphQLOutputType) -> bool:
    while isinstance(kind, GraphQLNonNull):
        kind = kind.of_type
    return isinstance(kind, GraphQLList) or get_named_type(kind).name.endswith("Connection")


def build_valid_arguments(field: GraphQLField, parent: Parent) -> dict[str, Any]:
    """Build valid values for a field's arguments."""
    return {name: _build_value(name, argument.type, parent) for name, argument in field.args.items()}


def list_argument_paths(field: GraphQLField) -> Iterator[tuple[Path, GraphQLInputType]]:
    """List every path within the arguments, through input objects and lists, with its type."""
    for name, argument in field.args.items():
        yield from _list_argument_paths((name,), argument.type)


def _list_argument_paths(path: Path, kind: GraphQLInputType) -> Iterator[tuple[Path, GraphQLInputType]]:
    yield path, kind
    inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    if isinstance(inner, GraphQLList):
        yield from _list_argument_paths((*path, 0), inner.of_type)
    elif isinstance(inner, GraphQLInputObjectType):
        for name, field in inner.fields.items():
            yield from _list_argument_paths((*path, name), field.type)


def replace_at(arguments: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """Copy the arguments and replace the value at one path."""
    changed = deepcopy(arguments)
    at: Any = changed
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return changed


def _build_value(name: str, kind: GraphQLInputType, parent: Parent) -> Any:
    inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    if isinstance(inner, GraphQLList):
        return [_build_value(name, inner.of_type, parent)]
    if isinstance(inner, GraphQLInputObjectType):
        return {each: _build_value(each, field.type, parent) for each, field in inner.fields.items()}
    if isinstance(inner, GraphQLEnumType):
        return next(iter(inner.values))
    if inner.name in ("Int", "Float"):
        return 32 if name == "pageCount" else 1
    if inner.name == "Boolean":
        return True
    return _build_strings(parent).get(name, "fox")


def _build_strings(parent: Parent) -> dict[str, str]:
    # Nothing has the ids under which long work would start or shared data would be deleted.
    return {
        "id": "ord_01k00000000000000000000000",
        "bookId": "book_01k00000000000000000000000",
        "childId": parent.child,
        "pageId": parent.page,
        "email": f"{MARKER.lower()}.{parent.child}@example.com",
        "password": PASSWORD,
        "name": f"{MARKER} Mia",
        "birthMonth": str(CHILD_DETAILS["birthMonth"]),
        "language": "en",
        "policyVersion": "2026-11",
        "countryCode": "US",
        "region": "OR",
        "postalCode": "97201",
        "phone": "+1 503 555 0100",
        "paymentMethod": "pm_card_visa",
        "productId": "casewrap-8.5-square",
        "formatId": "square-8.5",
    }
