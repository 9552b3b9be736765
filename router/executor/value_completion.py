"""Value completion (GraphQL, 6.4.3): values are checked against their types, and null propagates.

Each `compile_` function returns one that completes the values of a type. A null at a non-null position
becomes `PROPAGATED`, which makes the object or list around it null: of `{"names": ["a", null]}` the `names`
are null if their type is `[String!]`, and the whole object is if it is `[String!]!`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from graphql import (
    GraphQLEnumType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
)

from router.executor.response_builder import CompleteObject, LinkedPath, ResponseBuilder

CompleteValue: TypeAlias = Callable[[Any, LinkedPath, str | int, ResponseBuilder], Any]
"""Completes the value under a key of the object or list at a path."""
CompleteItems: TypeAlias = Callable[[list[Any], LinkedPath, ResponseBuilder], list[Any] | None]
"""Completes the items of the list at a path."""

PROPAGATED = object()
INT_MIN, INT_MAX = -(2**31), 2**31 - 1
_SCALARS: Mapping[str, tuple[type, ...]] = {
    "Int": (int, float),
    "Float": (int, float),
    "String": (str,),
    "Boolean": (bool,),
    "ID": (str, int),
}
# Conditions, in Python, under which a value `{0}` of a scalar is complete as it is.
_CHECKS: Mapping[str, str] = {
    "Int": f"{{0}}.__class__ is int and {INT_MIN} <= {{0}} <= {INT_MAX}",
    "Float": "{0}.__class__ is float or {0}.__class__ is int",
    "String": "{0}.__class__ is str",
    "Boolean": "{0}.__class__ is bool",
    "ID": "{0}.__class__ is str",
}
CALLED = "called"
"""Instead of a check: each value has to be completed."""
UNREAD = "unread"
"""Instead of a check: the field has a value without having one in the data."""


def compile_non_null(complete: CompleteValue, coordinate: str) -> CompleteValue:
    """Compiles the completion of a non-null value."""

    def complete_value(value: Any, path: LinkedPath, key: str | int, response: ResponseBuilder) -> Any:
        completed = complete(value, path, key, response)
        if completed is None:
            response.add_error(f"Cannot return null for non-nullable field {coordinate}.", (path, key))
            return PROPAGATED
        return completed

    return complete_value


def compile_object(complete: CompleteObject, coordinate: str) -> CompleteValue:
    """Compiles the completion of a non-null object; a separate function, as no values are more frequent."""

    def complete_value(value: Any, path: LinkedPath, key: str | int, response: ResponseBuilder) -> Any:
        here = (path, key)
        completed = None if value is None else complete(value, here, response)
        if completed is None:
            response.add_error(f"Cannot return null for non-nullable field {coordinate}.", here)
            return PROPAGATED
        return completed

    return complete_value


def compile_list(complete: CompleteItems, coordinate: str) -> CompleteValue:
    """Compiles the completion of a list whose items are completed together."""

    def complete_value(value: Any, path: LinkedPath, key: str | int, response: ResponseBuilder) -> Any:
        if value is None:
            return None
        here = (path, key)
        if not isinstance(value, list):
            response.add_error(f"{coordinate} is a list, but the service sent something else.", here)
            return None
        return complete(value, here, response)

    return complete_value


def compile_items(complete: CompleteValue, field_count: int) -> CompleteItems:
    """Compiles the completion of items with `field_count` fields each; a null may make the list null."""

    def complete_items(values: list[Any], here: LinkedPath, response: ResponseBuilder) -> list[Any] | None:
        response.count_fields(len(values) * field_count)
        items = [complete(value, here, index, response) for index, value in enumerate(values)]
        return None if PROPAGATED in items else items

    return complete_items


def compile_objects(complete: CompleteObject, coordinate: str, field_count: int) -> CompleteItems:
    """Compiles the completion of non-null objects with `field_count` fields each, the most frequent items."""

    def complete_items(values: list[Any], here: LinkedPath, response: ResponseBuilder) -> list[Any] | None:
        response.count_fields(len(values) * field_count)
        items = [
            None if value is None else complete(value, (here, index), response)
            for index, value in enumerate(values)
        ]
        missing = [index for index, item in enumerate(items) if item is None] if None in items else ()
        for index in missing:
            response.add_error(f"Cannot return null for non-nullable field {coordinate}.", (here, index))
        return None if missing else items

    return complete_items


def compile_nullable(complete: CompleteObject) -> CompleteValue:
    """Compiles the completion of a nullable object."""

    def complete_value(value: Any, path: LinkedPath, key: str | int, response: ResponseBuilder) -> Any:
        return None if value is None else complete(value, (path, key), response)

    return complete_value


def compile_leaf(type_: GraphQLNamedType, coordinate: str, full_schema: GraphQLSchema) -> CompleteValue:
    """Compiles the completion of a leaf; `full_schema` includes what is inaccessible to clients."""
    if isinstance(type_, GraphQLEnumType):
        declared: Any = full_schema.type_map[type_.name]
        return _compile_enum(
            coordinate, frozenset(type_.values), frozenset(declared.values) - frozenset(type_.values)
        )
    accepted = _SCALARS.get(type_.name) if isinstance(type_, GraphQLScalarType) else None
    if accepted is None:
        return _complete_unchecked
    return (
        _compile_int(coordinate) if type_.name == "Int" else _compile_scalar(type_.name, accepted, coordinate)
    )


def write_check(type_: GraphQLOutputType) -> str:
    """The condition, in Python, under which a value `{0}` is complete as it is; or `CALLED`."""
    if isinstance(type_, GraphQLNonNull):
        return _CHECKS.get(str(type_.of_type), CALLED)
    check = _CHECKS.get(str(type_))
    return f"{check} or {{0}} is None" if check else CALLED


@lru_cache(maxsize=10_000)
def _compile_enum(coordinate: str, values: frozenset[str], hidden: frozenset[str]) -> CompleteValue:
    """Null stands for a value that is inaccessible to clients."""

    def complete_value(value: Any, path: LinkedPath, key: str | int, response: ResponseBuilder) -> Any:
        if value is None or (value.__class__ is str and value in values):
            return value
        if value.__class__ is not str or value not in hidden:
            response.add_error(f"{coordinate} has none of the values that the service may send.", (path, key))
        return None

    return complete_value


@lru_cache(maxsize=10_000)
def _compile_scalar(name: str, accepted: tuple[type, ...], coordinate: str) -> CompleteValue:
    """Shared by all operations with the field, as most of a projection's memory would be such functions."""

    def complete_value(value: Any, path: LinkedPath, key: str | int, response: ResponseBuilder) -> Any:
        if value is None:
            return None
        if isinstance(value, accepted) and (name == "Boolean") == isinstance(value, bool):
            return str(value) if name == "ID" else value
        response.add_error(
            f"{coordinate} is of type {name}, but the service sent something else.", (path, key)
        )
        return None

    return complete_value


@lru_cache(maxsize=10_000)
def _compile_int(coordinate: str) -> CompleteValue:
    """In JSON, 1.0 is an integer too."""

    def complete_value(value: Any, path: LinkedPath, key: str | int, response: ResponseBuilder) -> Any:
        if value is None or (value.__class__ is int and INT_MIN <= value <= INT_MAX):
            return value
        if value.__class__ is float and INT_MIN <= value <= INT_MAX and value.is_integer():
            return int(value)
        response.add_error(f"{coordinate} is of type Int, but the service sent something else.", (path, key))
        return None

    return complete_value


def _complete_unchecked(value: Any, _link: LinkedPath, _key: str | int, _response: ResponseBuilder) -> Any:
    return value
