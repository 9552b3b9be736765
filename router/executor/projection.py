"""Projection: merged data becomes exactly what the client asked for.

What only the planner needed is left out, aliases and `__typename` are put right, values are checked against
the public schema, and a null where none may be propagates to the nearest place where it may.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    is_abstract_type,
    is_list_type,
)

from router.deferral import ExecutionGroup
from router.executor.absence import Absence, AbsentFields, absent_fields
from router.executor.entities import merge
from router.planner.names import Holding, Keys, Place, ResponseNames
from router.selections import TYPENAME, Conditions, FieldSelection, NormalizedOperation, SelectionSet, hold

# A path is a chain of (parent, key), built only where there is something below.
Link: TypeAlias = tuple[Any, str | int] | None

_PROPAGATED = object()
INT_MIN, INT_MAX = -(2**31), 2**31 - 1
_SCALARS: Mapping[str, tuple[type, ...]] = {
    "Int": (int, float),
    "Float": (int, float),
    "String": (str,),
    "Boolean": (bool,),
    "ID": (str, int),
}
# Values of these classes are complete as they are; only the range of an Int its class does not tell.
_COMPLETE_CLASSES: Mapping[str, type] = {
    "Int": int,
    "Float": float,
    "String": str,
    "Boolean": bool,
    "ID": str,
}


class Answer:
    """An answer in the making: its variables, the errors found while projecting, and what comes later."""

    __slots__ = ("_absences", "_absent", "_explained", "deferred", "errors", "variables")

    def __init__(
        self,
        variables: Mapping[str, Any],
        errors: list[dict[str, Any]] | None = None,
        absences: Sequence[Absence] = (),
    ) -> None:
        self.variables = variables
        self.errors = [] if errors is None else errors
        self.deferred: list[DeferredObject] = []
        self._absences = absences
        self._absent: AbsentFields | None = None
        self._explained: _Explained | None = None

    def error(self, message: str, link: Link) -> None:
        """Notes an error at a place, unless an error of a fetch explains it already."""
        path = path_of(link)
        if not self._known().explain(path):
            self._add({"message": message, "path": path})

    def lacking(self, value: Any, key: str, typename: str, link: tuple[Link, str]) -> Any:
        """What an object has that lacks a field: null, and an error if anything is wrong with that."""
        if not self.told(value, key, link) and key != TYPENAME:
            self.error(f"The service sent nothing for {typename}.{link[1]}.", link)
        return None

    def told(self, value: Any, key: str, link: Link) -> bool:
        """Whether a fetch says why an object lacks a field; its errors are noted at a place."""
        if self._absent is None:
            self._absent = absent_fields(self._absences)
        errors = self._absent.get((id(value), key))
        for error in errors or ():
            self._add({**error, "path": path_of(link)})
        return errors is not None

    def _add(self, error: dict[str, Any]) -> None:
        self._known().add(error["path"])
        self.errors.append(error)

    def _known(self) -> _Explained:
        if self._explained is None:
            self._explained = _Explained(self.errors)
        return self._explained


class _Explained:
    """The places that errors tell of, looked up in as many steps as a path has."""

    def __init__(self, errors: Iterable[Mapping[str, Any]]) -> None:
        self._all = False
        self._at: set[tuple[str | int, ...]] = set()
        self._above: set[tuple[str | int, ...]] = set()
        for error in errors:
            self.add(error.get("path"))

    def add(self, path: Sequence[str | int] | None) -> None:
        """An error at a place; without one, it may be the reason for anything."""
        if path is None:
            self._all = True
            return
        self._at.add(tuple(path))
        self._above.update(tuple(path[:length]) for length in range(len(path)))

    def explain(self, path: Sequence[str | int]) -> bool:
        """Whether an error at, above or below a place tells why there is nothing."""
        if self._all or tuple(path) in self._above:
            return True
        return any(tuple(path[:length]) in self._at for length in range(len(path) + 1))


# Completes a value that stands under a key of the object or list at a link.
_Complete: TypeAlias = Callable[[Any, Link, str | int, Answer], Any]
_CompleteObject: TypeAlias = Callable[[Any, Link, Answer], Any]
_CompleteItems: TypeAlias = Callable[[list[Any], Link, Answer], list[Any] | None]
# Response name, key of the data, how to complete a value, and the class of values that are complete already.
_Field: TypeAlias = tuple[str, str, _Complete, Any]
_Places: TypeAlias = tuple[Place, ...]
Project: TypeAlias = Callable[[Mapping[str, Any], Answer], dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class DeferredObject:
    """An object of an answer with fields of one group that come later."""

    group: ExecutionGroup
    value: Any
    link: Link
    complete: _CompleteObject

    def project(self, answer: Answer) -> dict[str, Any] | None:
        """The fields that come later, once the object has them; None if one that may not be null is."""
        projected: dict[str, Any] | None = self.complete(self.value, self.link, answer)
        return projected


def compile_projection(
    schema: GraphQLSchema, operation: NormalizedOperation, names: ResponseNames
) -> Project:
    """A function that projects data of this operation, worked out once per plan."""
    compiler = _Compiler(schema, names)
    root = compiler.selections(operation.selections, ((),), ())

    def project(data: Mapping[str, Any], answer: Answer) -> dict[str, Any] | None:
        projected = root(data, None, answer)
        return None if projected is _PROPAGATED else projected

    return project


def path_of(link: Link) -> list[str | int]:
    """A chain of keys as a list."""
    path: list[str | int] = []
    while link is not None:
        link, key = link
        path.append(key)
    return path[::-1]


class _Compiler:
    def __init__(self, schema: GraphQLSchema, names: ResponseNames) -> None:
        self._schema = schema
        self._names = names

    def selections(self, selections: SelectionSet, places: _Places, at: Keys) -> _CompleteObject:
        """Completes an object of the selections' type."""
        type_ = self._schema.type_map[selections.type_name]
        if not is_abstract_type(type_):
            return self._object(type_.name, selections, places, at)
        possible = {each.name for each in self._schema.get_possible_types(type_)}
        untyped = self._object(type_.name, selections, places, at)
        by_type: dict[str, _CompleteObject] = {}
        of_one_type = [each.conditions for fields in selections.narrowed.values() for each in fields]

        def complete(value: Any, link: Link, answer: Answer) -> Any:
            typename = value.get(TYPENAME) if isinstance(value, dict) else None
            if typename is None:
                if isinstance(value, dict) and _any_holds(of_one_type, answer.variables):
                    answer.told(value, TYPENAME, link)
                    answer.error(f"No service tells of which type this {type_.name} is.", link)
                    return None
                return untyped(value, link, answer)
            if typename.__class__ is not str or typename not in possible:
                if not self._is_hidden(typename):
                    answer.error(f"The service sent an object that is no {type_.name}.", link)
                return None
            if typename not in by_type:
                by_type[typename] = self._object(typename, selections, places, at)
            return by_type[typename](value, link, answer)

        return complete

    def _is_hidden(self, typename: Any) -> bool:
        """Whether the supergraph has a type that is inaccessible to clients: null stands for its objects."""
        whole = self._names.supergraph.schema.type_map
        return isinstance(typename, str) and typename in whole and typename not in self._schema.type_map

    def _object(self, typename: str, selections: SelectionSet, places: _Places, at: Keys) -> _CompleteObject:
        """Completes an object of one type, and notes it for each group of its fields that come later."""
        complete = self._fields(typename, selections.for_type(typename), places, at)
        later = [
            (group, self._fields(typename, fields, places, at), [each.conditions for each in fields])
            for group, each in selections.deferred.items()
            if (fields := each.for_type(typename))
        ]
        if not later:
            return complete

        def completed(value: Any, link: Link, answer: Answer) -> Any:
            projected = complete(value, link, answer)
            if projected is not None:
                answer.deferred += [
                    DeferredObject(group, value, link, finish)
                    for group, finish, alternatives in later
                    if _any_holds(alternatives, answer.variables)
                ]
            return projected

        return completed

    def _fields(
        self, typename: str, selections: tuple[FieldSelection, ...], places: _Places, at: Keys
    ) -> _CompleteObject:
        always: dict[str, _Field] = {}
        optional: list[tuple[Conditions, _Field]] = []
        apart: list[Keys] = []
        for selection in selections:
            held = self._names.asked_as(places, typename, selection)
            compiled = self._field(typename, selection, held, at)
            if len(held.keys) > 1:
                apart.append(held.keys)
            if selection.conditions:
                optional.append((selection.conditions, compiled))
            else:
                always[selection.response_name] = compiled
        fixed = tuple(always.values())
        order = {selection.response_name: None for selection in selections}
        # Where a type cannot occur, as far as subgraphs have told, its fields were not asked for.
        unasked = {
            key
            for _, key, _, _ in (*fixed, *(each for _, each in optional))
            if key != TYPENAME and self._names.shown_as(at, key) is None
        }

        def complete(value: Any, link: Link, answer: Answer) -> Any:
            if not isinstance(value, dict):
                answer.error(f"{typename} is an object, but the service sent something else.", link)
                return None
            fields = _held(fixed, optional, order, answer.variables) if optional else fixed
            projected: dict[str, Any] = {}
            for name, key, complete_field, complete_class in fields:
                found: Any = value.get(key)
                kind = found.__class__
                if kind is not complete_class or (kind is int and not INT_MIN <= found <= INT_MAX):
                    if found is None and key not in value and key not in unasked:
                        found = answer.lacking(value, key, typename, (link, name))
                    found = complete_field(found, link, name, answer)
                    if found is _PROPAGATED:
                        return None
                projected[name] = found
            return projected

        return _joining(apart, complete) if apart else complete

    def _field(self, typename: str, selection: FieldSelection, held: Holding, at: Keys) -> _Field:
        name = selection.response_name
        if selection.name == TYPENAME:
            return name, TYPENAME, self._typename(typename), None
        type_: Any = self._schema.type_map[typename]
        output: GraphQLOutputType = type_.fields[selection.name].type
        complete = self._output(
            output, selection.selections, held.places, (*at, held.keys[0]), f"{typename}.{selection.name}"
        )
        return name, held.keys[0], complete, _COMPLETE_CLASSES.get(str(output).rstrip("!"))

    def _typename(self, typename: str) -> _Complete:
        """Names the type; an interface is no type of an object."""
        if not is_abstract_type(self._schema.type_map[typename]):
            return lambda *_: typename
        return _non_null(lambda *_: None, f"{typename}.{TYPENAME}")

    def _output(
        self,
        type_: GraphQLOutputType,
        selections: SelectionSet | None,
        places: _Places,
        at: Keys,
        name: str,
    ) -> _Complete:
        match type_:
            case GraphQLNonNull(of_type=inner):
                if selections is None or isinstance(inner, GraphQLList):
                    return _non_null(self._output(inner, selections, places, at, name), name)
                return _object(self.selections(selections, places, at), name)
            case GraphQLList(of_type=GraphQLNonNull(of_type=item)) if selections and not is_list_type(item):
                return _list(_objects(self.selections(selections, places, at), name), name)
            case GraphQLList(of_type=inner):
                return _list(_items(self._output(inner, selections, places, at, name)), name)
        if selections is not None:
            return _nullable(self.selections(selections, places, at))
        return _leaf(type_, name, self._names.supergraph.schema)


def _held(
    fixed: Iterable[_Field],
    optional: Iterable[tuple[Conditions, _Field]],
    order: Iterable[str],
    variables: Mapping[str, Any],
) -> tuple[_Field, ...]:
    """The fields that are asked for with some variables, in the order of the operation."""
    holding = {each[0]: each for conditions, each in optional if hold(conditions, variables)}
    holding.update((each[0], each) for each in fixed)
    return tuple(holding[name] for name in order if name in holding)


def _joining(apart: list[Keys], complete: _CompleteObject) -> _CompleteObject:
    """Merges first what data holds apart of one field, as a subgraph could not answer it under one name."""

    def completed(value: Any, link: Link, answer: Answer) -> Any:
        for first, *others in apart:
            for key in others:
                if isinstance(value, dict) and key in value:
                    merge(value, {first: value[key]})
        return complete(value, link, answer)

    return completed


def _non_null(complete: _Complete, at: str) -> _Complete:
    def checked(value: Any, link: Link, key: str | int, answer: Answer) -> Any:
        completed = complete(value, link, key, answer)
        if completed is None:
            answer.error(f"Cannot return null for non-nullable field {at}.", (link, key))
            return _PROPAGATED
        return completed

    return checked


def _object(complete: _CompleteObject, at: str) -> _Complete:
    """An object that may not be null, completed by one function: nothing is completed as often."""

    def checked(value: Any, link: Link, key: str | int, answer: Answer) -> Any:
        here = (link, key)
        completed = None if value is None else complete(value, here, answer)
        if completed is None:
            answer.error(f"Cannot return null for non-nullable field {at}.", here)
            return _PROPAGATED
        return completed

    return checked


def _list(complete: _CompleteItems, at: str) -> _Complete:
    def completed(value: Any, link: Link, key: str | int, answer: Answer) -> Any:
        if value is None:
            return None
        here = (link, key)
        if not isinstance(value, list):
            answer.error(f"{at} is a list, but the service sent something else.", here)
            return None
        return complete(value, here, answer)

    return completed


def _items(complete: _Complete) -> _CompleteItems:
    def completed(values: list[Any], here: Link, answer: Answer) -> list[Any] | None:
        items = [complete(value, here, index, answer) for index, value in enumerate(values)]
        return None if _PROPAGATED in items else items

    return completed


def _objects(complete: _CompleteObject, at: str) -> _CompleteItems:
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


def _nullable(complete: _CompleteObject) -> _Complete:
    def completed(value: Any, link: Link, key: str | int, answer: Answer) -> Any:
        return None if value is None else complete(value, (link, key), answer)

    return completed


def _leaf(type_: GraphQLNamedType, at: str, whole: GraphQLSchema) -> _Complete:
    if isinstance(type_, GraphQLEnumType):
        declared: Any = whole.type_map[type_.name]
        return _enum(at, frozenset(type_.values), frozenset(declared.values) - frozenset(type_.values))
    accepted = _SCALARS.get(type_.name) if isinstance(type_, GraphQLScalarType) else None
    if accepted is None:
        return _unchecked
    return _int(at) if type_.name == "Int" else _scalar(type_.name, accepted, at)


@lru_cache(maxsize=10_000)
def _enum(at: str, values: frozenset[str], hidden: frozenset[str]) -> _Complete:
    """Null stands for a value that is inaccessible to clients."""

    def checked(value: Any, link: Link, key: str | int, answer: Answer) -> Any:
        if value is None or (value.__class__ is str and value in values):
            return value
        if value.__class__ is not str or value not in hidden:
            answer.error(f"{at} has none of the values that the service may send.", (link, key))
        return None

    return checked


@lru_cache(maxsize=10_000)
def _scalar(name: str, accepted: tuple[type, ...], at: str) -> _Complete:
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
def _int(at: str) -> _Complete:
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


def _any_holds(alternatives: Iterable[Conditions], variables: Mapping[str, Any]) -> bool:
    return any(hold(conditions, variables) for conditions in alternatives)
