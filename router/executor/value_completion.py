"""Value completion (GraphQL, 6.4.3): values are checked against their types, and null propagates.

Each function makes one that completes values of a type; a null where none may be is `PROPAGATED` to what is
around it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from graphql import GraphQLEnumType, GraphQLNamedType, GraphQLScalarType, GraphQLSchema

from router.executor.answer import Answer, CompleteObject, Link

Complete: TypeAlias = Callable[[Any, Link, str | int, Answer], Any]
"""Completes a value that stands under a key of the object or list at a link."""
CompleteItems: TypeAlias = Callable[[list[Any], Link, Answer], list[Any] | None]
"""Completes the items of the list at a link."""

PROPAGATED = object()
INT_MIN, INT_MAX = -(2**31), 2**31 - 1
_SCALARS: Mapping[str, tuple[type, ...]] = {
    "Int": (int, float),
    "Float": (int, float),
    "String": (str,),
    "Boolean": (bool,),
    "ID": (str, int),
}
# Values of these classes are complete as they are; only the range of an Int its class does not tell.
COMPLETE_CLASSES: Mapping[str, type] = {
    "Int": int,
    "Float": float,
    "String": str,
    "Boolean": bool,
    "ID": str,
}


def compile_non_null(complete: Complete, at: str) -> Complete:
    """A value that may not be null."""

    def checked(value: Any, link: Link, key: str | int, answer: Answer) -> Any:
        completed = complete(value, link, key, answer)
        if completed is None:
            answer.error(f"Cannot return null for non-nullable field {at}.", (link, key))
            return PROPAGATED
        return completed

    return checked


def compile_object(complete: CompleteObject, at: str) -> Complete:
    """An object that may not be null, completed by one function: nothing is completed as often."""

    def checked(value: Any, link: Link, key: str | int, answer: Answer) -> Any:
        here = (link, key)
        completed = None if value is None else complete(value, here, answer)
        if completed is None:
            answer.error(f"Cannot return null for non-nullable field {at}.", here)
            return PROPAGATED
        return completed

    return checked


def compile_list(complete: CompleteItems, at: str) -> Complete:
    """A list, whose items are completed together."""

    def completed(value: Any, link: Link, key: str | int, answer: Answer) -> Any:
        if value is None:
            return None
        here = (link, key)
        if not isinstance(value, list):
            answer.error(f"{at} is a list, but the service sent something else.", here)
            return None
        return complete(value, here, answer)

    return completed


def compile_items(complete: Complete) -> CompleteItems:
    """Items of any type, one after the other; one null too many makes the list null."""

    def completed(values: list[Any], here: Link, answer: Answer) -> list[Any] | None:
        items = [complete(value, here, index, answer) for index, value in enumerate(values)]
        return None if PROPAGATED in items else items

    return completed


def compile_objects(complete: CompleteObject, at: str) -> CompleteItems:
    """Objects that may not be null, each completed by one function: most of an answer are such."""

    def completed(values: list[Any], here: Link, answer: Answer) -> list[Any] | None:
        items = [
            None if value is None else complete(value, (here, index), answer)
            for index, value in enumerate(values)
        ]
        missing = [index for index, item in enumerate(items) if item is None] if None in items else ()
        for index in missing:
            answer.error(f"Cannot return null for non-nullable field {at}.", (here, index))
        return None if missing else items

    return completed


def compile_nullable(complete: CompleteObject) -> Complete:
    """An object that may be null."""

    def completed(value: Any, link: Link, key: str | int, answer: Answer) -> Any:
        return None if value is None else complete(value, (link, key), answer)

    return completed


def compile_leaf(type_: GraphQLNamedType, at: str, whole: GraphQLSchema) -> Complete:
    """A scalar or a value of an enum; `whole` is the schema with what is inaccessible to clients."""
    if isinstance(type_, GraphQLEnumType):
        declared: Any = whole.type_map[type_.name]
        return _enum(at, frozenset(type_.values), frozenset(declared.values) - frozenset(type_.values))
    accepted = _SCALARS.get(type_.name) if isinstance(type_, GraphQLScalarType) else None
    if accepted is None:
        return _unchecked
    return _int(at) if type_.name == "Int" else _scalar(type_.name, accepted, at)


@lru_cache(maxsize=10_000)
def _enum(at: str, values: frozenset[str], hidden: frozenset[str]) -> Complete:
    """Null stands for a value that is inaccessible to clients."""

    def checked(value: Any, link: Link, key: str | int, answer: Answer) -> Any:
        if value is None or (value.__class__ is str and value in values):
            return value
        if value.__class__ is not str or value not in hidden:
            answer.error(f"{at} has none of the values that the service may send.", (link, key))
        return None

    return checked


@lru_cache(maxsize=10_000)
def _scalar(name: str, accepted: tuple[type, ...], at: str) -> Complete:
    """The same for every operation that asks for the field: most of what a projection would weigh else."""

    def checked(value: Any, link: Link, key: str | int, answer: Answer) -> Any:
        if value is None:
            return None
        if isinstance(value, accepted) and (name == "Boolean") == isinstance(value, bool):
            return str(value) if name == "ID" else value
        answer.error(f"{at} is of type {name}, but the service sent something else.", (link, key))
        return None

    return checked


@lru_cache(maxsize=10_000)
def _int(at: str) -> Complete:
    """JSON does not tell 1.0 from 1."""

    def checked(value: Any, link: Link, key: str | int, answer: Answer) -> Any:
        if value is None or (value.__class__ is int and INT_MIN <= value <= INT_MAX):
            return value
        if value.__class__ is float and INT_MIN <= value <= INT_MAX and value.is_integer():
            return int(value)
        answer.error(f"{at} is of type Int, but the service sent something else.", (link, key))
        return None

    return checked


def _unchecked(value: Any, _link: Link, _key: str | int, _answer: Answer) -> Any:
    return value
