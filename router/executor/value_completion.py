"""Value completion (GraphQL, 6.4.3): values are checked against their types, and null propagates.

Each `compile_` function returns one that completes the values of a type. A null at a non-null position
becomes `PROPAGATED`, which makes the object or list around it null: of `{"names": ["a", null]}` the `names`
are null if their type is `[String!]`, and the whole object is if it is `[String!]!`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from graphql import GraphQLEnumType, GraphQLNamedType, GraphQLScalarType, GraphQLSchema

from router.executor.answer import Answer, CompleteObject, LinkedPath

CompleteValue: TypeAlias = Callable[[Any, LinkedPath, str | int, Answer], Any]
"""Completes the value under a key of the object or list at a path."""
CompleteItems: TypeAlias = Callable[[list[Any], LinkedPath, Answer], list[Any] | None]
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
# Values of these classes need no completion, but for the range of an Int.
COMPLETE_CLASSES: Mapping[str, type] = {
    "Int": int,
    "Float": float,
    "String": str,
    "Boolean": bool,
    "ID": str,
}


def compile_non_null(complete: CompleteValue, coordinate: str) -> CompleteValue:
    """A non-null value."""

    def complete_value(value: Any, path: LinkedPath, key: str | int, answer: Answer) -> Any:
        completed = complete(value, path, key, answer)
        if completed is None:
            answer.error(f"Cannot return null for non-nullable field {coordinate}.", (path, key))
            return PROPAGATED
        return completed

    return complete_value


def compile_object(complete: CompleteObject, coordinate: str) -> CompleteValue:
    """A non-null object; it has a function of its own because nothing is completed as often."""

    def complete_value(value: Any, path: LinkedPath, key: str | int, answer: Answer) -> Any:
        here = (path, key)
        completed = None if value is None else complete(value, here, answer)
        if completed is None:
            answer.error(f"Cannot return null for non-nullable field {coordinate}.", here)
            return PROPAGATED
        return completed

    return complete_value


def compile_list(complete: CompleteItems, coordinate: str) -> CompleteValue:
    """A list whose items are completed together."""

    def complete_value(value: Any, path: LinkedPath, key: str | int, answer: Answer) -> Any:
        if value is None:
            return None
        here = (path, key)
        if not isinstance(value, list):
            answer.error(f"{coordinate} is a list, but the service sent something else.", here)
            return None
        return complete(value, here, answer)

    return complete_value


def compile_items(complete: CompleteValue, field_count: int) -> CompleteItems:
    """Items of any type, with so many fields each; a null that propagates makes the list null."""

    def complete_items(values: list[Any], here: LinkedPath, answer: Answer) -> list[Any] | None:
        answer.count_fields(len(values) * field_count)
        items = [complete(value, here, index, answer) for index, value in enumerate(values)]
        return None if PROPAGATED in items else items

    return complete_items


def compile_objects(complete: CompleteObject, coordinate: str, field_count: int) -> CompleteItems:
    """Non-null objects, of which most answers consist, with so many fields each."""

    def complete_items(values: list[Any], here: LinkedPath, answer: Answer) -> list[Any] | None:
        answer.count_fields(len(values) * field_count)
        items = [
            None if value is None else complete(value, (here, index), answer)
            for index, value in enumerate(values)
        ]
        missing = [index for index, item in enumerate(items) if item is None] if None in items else ()
        for index in missing:
            answer.error(f"Cannot return null for non-nullable field {coordinate}.", (here, index))
        return None if missing else items

    return complete_items


def compile_nullable(complete: CompleteObject) -> CompleteValue:
    """A nullable object."""

    def complete_value(value: Any, path: LinkedPath, key: str | int, answer: Answer) -> Any:
        return None if value is None else complete(value, (path, key), answer)

    return complete_value


def compile_leaf(type_: GraphQLNamedType, coordinate: str, whole: GraphQLSchema) -> CompleteValue:
    """A scalar or an enum value; `whole` is the schema with what is inaccessible to clients."""
    if isinstance(type_, GraphQLEnumType):
        declared: Any = whole.type_map[type_.name]
        return _enum(
            coordinate, frozenset(type_.values), frozenset(declared.values) - frozenset(type_.values)
        )
    accepted = _SCALARS.get(type_.name) if isinstance(type_, GraphQLScalarType) else None
    if accepted is None:
        return _unchecked
    return _int(coordinate) if type_.name == "Int" else _scalar(type_.name, accepted, coordinate)


@lru_cache(maxsize=10_000)
def _enum(coordinate: str, values: frozenset[str], hidden: frozenset[str]) -> CompleteValue:
    """Null stands for a value that is inaccessible to clients."""

    def complete_value(value: Any, path: LinkedPath, key: str | int, answer: Answer) -> Any:
        if value is None or (value.__class__ is str and value in values):
            return value
        if value.__class__ is not str or value not in hidden:
            answer.error(f"{coordinate} has none of the values that the service may send.", (path, key))
        return None

    return complete_value


@lru_cache(maxsize=10_000)
def _scalar(name: str, accepted: tuple[type, ...], coordinate: str) -> CompleteValue:
    """Shared by all operations with the field, as most of a projection's memory would be such functions."""

    def complete_value(value: Any, path: LinkedPath, key: str | int, answer: Answer) -> Any:
        if value is None:
            return None
        if isinstance(value, accepted) and (name == "Boolean") == isinstance(value, bool):
            return str(value) if name == "ID" else value
        answer.error(f"{coordinate} is of type {name}, but the service sent something else.", (path, key))
        return None

    return complete_value


@lru_cache(maxsize=10_000)
def _int(coordinate: str) -> CompleteValue:
    """In JSON, 1.0 is an integer too."""

    def complete_value(value: Any, path: LinkedPath, key: str | int, answer: Answer) -> Any:
        if value is None or (value.__class__ is int and INT_MIN <= value <= INT_MAX):
            return value
        if value.__class__ is float and INT_MIN <= value <= INT_MAX and value.is_integer():
            return int(value)
        answer.error(f"{coordinate} is of type Int, but the service sent something else.", (path, key))
        return None

    return complete_value


def _unchecked(value: Any, _link: LinkedPath, _key: str | int, _answer: Answer) -> Any:
    return value
