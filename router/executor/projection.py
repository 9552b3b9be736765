"""Projection: the merged data becomes exactly what the client has selected.

It drops keys that only the planner needed, restores response names and `__typename`, and completes values
by the public schema. Of the merged data

    {"me": {"id": "Ada", "_id_1": "7", "email": 1}}

the client's `{ me { id: name email } }` gets `{"me": {"id": "Ada", "email": null}}`, and an error because the
email is not a String. A plan's projection is compiled once: nested functions, one for each type and field.
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

from router.executor.entities import merge
from router.executor.object_completion import CompiledField, compile_fields
from router.executor.response_builder import CompleteObject, DeferredObject, LinkedPath, ResponseBuilder
from router.executor.value_completion import (
    CALLED,
    PROPAGATED,
    UNREAD,
    CompleteValue,
    compile_items,
    compile_leaf,
    compile_list,
    compile_non_null,
    compile_nullable,
    compile_object,
    compile_objects,
    write_check,
)
from router.operation.conditions import Conditions, are_met
from router.operation.selections import TYPENAME, FieldSelection, NormalizedOperation, SelectionSet
from router.planner.names import DataLocation, DataPath, ResponseNames, TypedPath

_TypedPaths: TypeAlias = tuple[TypedPath, ...]
Projection: TypeAlias = Callable[[Mapping[str, Any], ResponseBuilder], dict[str, Any] | None]


def compile_projection(
    schema: GraphQLSchema, operation: NormalizedOperation, names: ResponseNames
) -> Projection:
    """The projection of an operation's data."""
    compiler = _Compiler(schema, names)
    root = compiler.compile_selections(operation.selections, ((),), ())

    def project(data: Mapping[str, Any], response: ResponseBuilder) -> dict[str, Any] | None:
        projected = root(data, None, response)
        return None if projected is PROPAGATED else projected

    return project


class _Compiler:
    def __init__(self, schema: GraphQLSchema, names: ResponseNames) -> None:
        self._schema = schema
        self._names = names

    def compile_selections(
        self, selections: SelectionSet, paths: _TypedPaths, data_path: DataPath
    ) -> CompleteObject:
        """Compiles the completion of an object of the selection set's type."""
        type_ = self._schema.type_map[selections.type_name]
        if not is_abstract_type(type_):
            return self._compile_object(type_.name, selections, paths, data_path)
        possible = {each.name for each in self._schema.get_possible_types(type_)}
        untyped = self._compile_object(type_.name, selections, paths, data_path)
        by_type: dict[str, CompleteObject] = {}
        narrowed_conditions = [each.conditions for fields in selections.narrowed.values() for each in fields]

        def complete(value: Any, path: LinkedPath, response: ResponseBuilder) -> Any:
            typename = value.get(TYPENAME) if isinstance(value, dict) else None
            if typename is None:
                if isinstance(value, dict) and _any_holds(narrowed_conditions, response.variables):
                    response.explain_absence(value, TYPENAME, path)
                    response.add_error(f"The type of this {type_.name} is unknown: no service sent it.", path)
                    return None
                return untyped(value, path, response)
            if typename.__class__ is not str or typename not in possible:
                if not self._is_hidden(typename):
                    response.add_error(f"The service sent an object that is not of type {type_.name}.", path)
                return None
            if typename not in by_type:
                response.count_compiled_fields(_count_fields(selections))
                by_type[typename] = self._compile_object(typename, selections, paths, data_path)
            return by_type[typename](value, path, response)

        return complete

    def _is_hidden(self, typename: Any) -> bool:
        """Whether a type is inaccessible to clients: its objects are null without an error."""
        all_types = self._names.supergraph.schema.type_map
        return isinstance(typename, str) and typename in all_types and typename not in self._schema.type_map

    def _compile_object(
        self, typename: str, selections: SelectionSet, paths: _TypedPaths, data_path: DataPath
    ) -> CompleteObject:
        """Compiles the completion of an object of one type; it records objects with deferred fields."""
        complete = self._compile_fields(typename, selections.select_for_type(typename), paths, data_path)
        deferred = [
            (
                group,
                self._compile_fields(typename, fields, paths, data_path),
                [each.conditions for each in fields],
            )
            for group, each in selections.deferred.items()
            if (fields := each.select_for_type(typename))
        ]
        if not deferred:
            return complete

        def complete_and_defer(value: Any, path: LinkedPath, response: ResponseBuilder) -> Any:
            projected = complete(value, path, response)
            if projected is not None:
                response.deferred += [
                    DeferredObject(group, value, path, complete_deferred)
                    for group, complete_deferred, alternatives in deferred
                    if _any_holds(alternatives, response.variables)
                ]
            return projected

        return complete_and_defer

    def _compile_fields(
        self, typename: str, selections: tuple[FieldSelection, ...], paths: _TypedPaths, data_path: DataPath
    ) -> CompleteObject:
        fields: list[tuple[Conditions, CompiledField]] = []
        split_keys: list[DataPath] = []
        for selection in selections:
            location = self._names.locate(paths, typename, selection)
            compiled = self._compile_field(typename, selection, location, data_path)
            fields.append((selection.conditions, compiled))
            if len(location.keys) > 1:
                split_keys.append(location.keys)
        # Nothing is fetched for types that cannot occur at a path: there, null needs no error.
        unselected = {
            field.key
            for _, field in fields
            if field.key != TYPENAME and self._names.get_client_name(data_path, field.key) is None
        }
        complete = compile_fields(typename, fields, unselected)
        return _merge_split_keys(split_keys, complete) if split_keys else complete

    def _compile_field(
        self, typename: str, selection: FieldSelection, location: DataLocation, data_path: DataPath
    ) -> CompiledField:
        name = selection.response_name
        if selection.name == TYPENAME:
            check = CALLED if is_abstract_type(self._schema.type_map[typename]) else UNREAD
            return CompiledField(name, TYPENAME, self._compile_typename(typename), check)
        type_: Any = self._schema.type_map[typename]
        output: GraphQLOutputType = type_.fields[selection.name].type
        complete = self._compile_output(
            output,
            selection.selections,
            location.paths,
            (*data_path, location.keys[0]),
            f"{typename}.{selection.name}",
        )
        return CompiledField(name, location.keys[0], complete, write_check(output))

    def _compile_typename(self, typename: str) -> CompleteValue:
        """Compiles the completion of `__typename`; the type of an object is never an interface."""
        if not is_abstract_type(self._schema.type_map[typename]):
            return lambda *_: typename
        return compile_non_null(lambda *_: None, f"{typename}.{TYPENAME}")

    def _compile_output(
        self,
        type_: GraphQLOutputType,
        selections: SelectionSet | None,
        paths: _TypedPaths,
        data_path: DataPath,
        name: str,
    ) -> CompleteValue:
        match type_:
            case GraphQLNonNull(of_type=inner):
                if selections is None or isinstance(inner, GraphQLList):
                    return compile_non_null(
                        self._compile_output(inner, selections, paths, data_path, name), name
                    )
                return compile_object(self.compile_selections(selections, paths, data_path), name)
            case GraphQLList(of_type=GraphQLNonNull(of_type=item)) if selections and not is_list_type(item):
                complete = self.compile_selections(selections, paths, data_path)
                return compile_list(compile_objects(complete, name, _count_fields(selections)), name)
            case GraphQLList(of_type=inner):
                complete_item = self._compile_output(inner, selections, paths, data_path, name)
                return compile_list(compile_items(complete_item, 1 + _count_fields(selections)), name)
        if selections is not None:
            return compile_nullable(self.compile_selections(selections, paths, data_path))
        return compile_leaf(type_, name, self._names.supergraph.schema)


def _count_fields(selections: SelectionSet | None) -> int:
    """The fields of an object and of all objects below it, if no list has more than one item."""
    if selections is None:
        return 0
    alternatives = (selections.fields, *selections.narrowed.values())
    return sum(1 + _count_fields(each.selections) for fields in alternatives for each in fields)


def _merge_split_keys(split_keys: list[DataPath], complete: CompleteObject) -> CompleteObject:
    """Merges, before completion, the keys of one field that could not be fetched under one name."""

    def merge_and_complete(value: Any, path: LinkedPath, response: ResponseBuilder) -> Any:
        for first, *others in split_keys:
            for key in others:
                if isinstance(value, dict) and key in value:
                    merge(value, {first: value[key]})
        return complete(value, path, response)

    return merge_and_complete


def _any_holds(alternatives: Iterable[Conditions], variables: Mapping[str, Any]) -> bool:
    return any(are_met(conditions, variables) for conditions in alternatives)
