"""Projection: merged data becomes exactly what the client asked for.

What only the planner needed is left out, aliases and `__typename` are put right, values are checked against
the public schema, and a null where none may be propagates to the nearest place where it may.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from graphql import (
    GraphQLList,
    GraphQLNonNull,
    GraphQLOutputType,
    GraphQLSchema,
    is_abstract_type,
    is_list_type,
)

from router.executor.answer import Answer, CompleteObject, DeferredObject, Link
from router.executor.entities import merge
from router.executor.value_completion import (
    COMPLETE_CLASSES,
    INT_MAX,
    INT_MIN,
    PROPAGATED,
    Complete,
    compile_items,
    compile_leaf,
    compile_list,
    compile_non_null,
    compile_nullable,
    compile_object,
    compile_objects,
)
from router.operation.selections import (
    TYPENAME,
    Conditions,
    FieldSelection,
    NormalizedOperation,
    SelectionSet,
    hold,
)
from router.planner.names import DataLocation, DataPath, ResponseNames, TypedPath

# Response name, key of the data, how to complete a value, and the class of values that are complete already.
_Field: TypeAlias = tuple[str, str, Complete, Any]
_Places: TypeAlias = tuple[TypedPath, ...]
Project: TypeAlias = Callable[[Mapping[str, Any], Answer], dict[str, Any] | None]


def compile_projection(
    schema: GraphQLSchema, operation: NormalizedOperation, names: ResponseNames
) -> Project:
    """A function that projects data of this operation, worked out once per plan."""
    compiler = _Compiler(schema, names)
    root = compiler.selections(operation.selections, ((),), ())

    def project(data: Mapping[str, Any], answer: Answer) -> dict[str, Any] | None:
        projected = root(data, None, answer)
        return None if projected is PROPAGATED else projected

    return project


class _Compiler:
    def __init__(self, schema: GraphQLSchema, names: ResponseNames) -> None:
        self._schema = schema
        self._names = names

    def selections(self, selections: SelectionSet, places: _Places, at: DataPath) -> CompleteObject:
        """Completes an object of the selections' type."""
        type_ = self._schema.type_map[selections.type_name]
        if not is_abstract_type(type_):
            return self._object(type_.name, selections, places, at)
        possible = {each.name for each in self._schema.get_possible_types(type_)}
        untyped = self._object(type_.name, selections, places, at)
        by_type: dict[str, CompleteObject] = {}
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

    def _object(
        self, typename: str, selections: SelectionSet, places: _Places, at: DataPath
    ) -> CompleteObject:
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
        self, typename: str, selections: tuple[FieldSelection, ...], places: _Places, at: DataPath
    ) -> CompleteObject:
        always: dict[str, _Field] = {}
        optional: list[tuple[Conditions, _Field]] = []
        apart: list[DataPath] = []
        for selection in selections:
            held = self._names.locate(places, typename, selection)
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
            if key != TYPENAME and self._names.client_name(at, key) is None
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
                    if found is PROPAGATED:
                        return None
                projected[name] = found
            return projected

        return _joining(apart, complete) if apart else complete

    def _field(self, typename: str, selection: FieldSelection, held: DataLocation, at: DataPath) -> _Field:
        name = selection.response_name
        if selection.name == TYPENAME:
            return name, TYPENAME, self._typename(typename), None
        type_: Any = self._schema.type_map[typename]
        output: GraphQLOutputType = type_.fields[selection.name].type
        complete = self._output(
            output, selection.selections, held.paths, (*at, held.keys[0]), f"{typename}.{selection.name}"
        )
        return name, held.keys[0], complete, COMPLETE_CLASSES.get(str(output).rstrip("!"))

    def _typename(self, typename: str) -> Complete:
        """Names the type; an interface is no type of an object."""
        if not is_abstract_type(self._schema.type_map[typename]):
            return lambda *_: typename
        return compile_non_null(lambda *_: None, f"{typename}.{TYPENAME}")

    def _output(
        self,
        type_: GraphQLOutputType,
        selections: SelectionSet | None,
        places: _Places,
        at: DataPath,
        name: str,
    ) -> Complete:
        match type_:
            case GraphQLNonNull(of_type=inner):
                if selections is None or isinstance(inner, GraphQLList):
                    return compile_non_null(self._output(inner, selections, places, at, name), name)
                return compile_object(self.selections(selections, places, at), name)
            case GraphQLList(of_type=GraphQLNonNull(of_type=item)) if selections and not is_list_type(item):
                return compile_list(compile_objects(self.selections(selections, places, at), name), name)
            case GraphQLList(of_type=inner):
                return compile_list(compile_items(self._output(inner, selections, places, at, name)), name)
        if selections is not None:
            return compile_nullable(self.selections(selections, places, at))
        return compile_leaf(type_, name, self._names.supergraph.schema)


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


def _joining(apart: list[DataPath], complete: CompleteObject) -> CompleteObject:
    """Merges first what data holds apart of one field, as a subgraph could not answer it under one name."""

    def completed(value: Any, link: Link, answer: Answer) -> Any:
        for first, *others in apart:
            for key in others:
                if isinstance(value, dict) and key in value:
                    merge(value, {first: value[key]})
        return complete(value, link, answer)

    return completed


def _any_holds(alternatives: Iterable[Conditions], variables: Mapping[str, Any]) -> bool:
    return any(hold(conditions, variables) for conditions in alternatives)
