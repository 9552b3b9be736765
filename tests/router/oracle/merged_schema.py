"""The schemas of all subgraphs merged: the objects, the nullability of fields and their dependencies."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLObjectType,
    GraphQLSchema,
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    TypeNode,
    is_leaf_type,
    parse_type,
    print_ast,
)
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_value

from tests.router.oracle.subgraphs import (
    ContextualArgument,
    FederatedField,
    FieldSet,
    FieldSetField,
    SubgraphSchema,
)


class InconsistentError(Exception):
    """The subgraphs contradict each other, so no data can satisfy all of them."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The possible values of a field: nullable or not, a list, a leaf, or an object of some types."""

    nullable: bool
    item: Shape | None = None
    leaf: Any = None
    types: tuple[str, ...] = ()


class MergedSchema:
    """The combined definitions of the subgraphs and of the public schema."""

    def __init__(self, subgraphs: Mapping[str, SubgraphSchema], api: GraphQLSchema) -> None:
        self.subgraphs = subgraphs
        self.api = api
        self._interfaces: dict[str, set[str]] = defaultdict(set)
        for graph in subgraphs.values():
            for type_ in graph.types.values():
                self._interfaces[type_.name] |= type_.interfaces
        self.entities = frozenset(
            type_.name
            for graph in subgraphs.values()
            for type_ in graph.types.values()
            if type_.all_keys and type_.kind == "type" and not type_.interface_object
        )
        # Fields by coordinate: of keys, so unique to an object; of composite keys, so shared by some objects;
        # of objects in keys, so the same on every read; and those that never fail, because others need them.
        self._unique: set[tuple[str, str]] = set()
        self._coarse: set[tuple[str, str]] = set()
        self._fixed: set[tuple[str, str]] = set()
        self._protected: set[tuple[str, str]] = set()
        self._read_keys()
        self._read_dependencies()
        self._shapes: dict[tuple[str, str], Shape] = {}
        self._requires: dict[tuple[str, str], FieldSet] = {}
        self._contextual_arguments: dict[tuple[str, str], tuple[ContextualArgument, ...]] = {}
        self._arguments: dict[tuple[str, str], Mapping[str, Any]] = {}

    def list_kinds(self, type_name: str) -> frozenset[str]:
        """An object type and all interfaces that it has anywhere."""
        return frozenset({type_name, *self._interfaces[type_name]})

    def list_implementers(self, interface: str) -> list[str]:
        """The object types that have an interface anywhere."""
        return sorted(
            name
            for name, interfaces in self._interfaces.items()
            if interface in interfaces
            and any(
                name in graph.types and graph.types[name].kind == "type" for graph in self.subgraphs.values()
            )
        )

    def find_definitions(self, type_name: str, name: str) -> list[tuple[SubgraphSchema, str, FederatedField]]:
        """A field of an object type wherever it is defined, also on an interface object."""
        found = []
        for graph in self.subgraphs.values():
            for kind in sorted(self.list_kinds(type_name)):
                type_ = graph.types.get(kind)
                if type_ and type_.kind == "type" and name in type_.fields:
                    found.append((graph, kind, type_.fields[name]))
        return found

    def find_requirements(self, type_name: str, name: str) -> FieldSet:
        """The `@requires` of a field."""
        coordinate = (type_name, name)
        if coordinate not in self._requires:
            resolved = [each for _, _, each in self.find_definitions(*coordinate) if not each.external]
            found = {each.requires for each in resolved}
            if len(found) > 1:
                raise InconsistentError(f"{type_name}.{name} has different requirements.")
            self._requires[coordinate] = found.pop() if found else ()
        return self._requires[coordinate]

    def find_contextual_arguments(self, type_name: str, name: str) -> tuple[ContextualArgument, ...]:
        """The contextual arguments of a field."""
        coordinate = (type_name, name)
        if coordinate not in self._contextual_arguments:
            resolved = [each for _, _, each in self.find_definitions(*coordinate) if not each.external]
            found = {each.contextual_arguments for each in resolved}
            if len(found) > 1:
                raise InconsistentError(f"{type_name}.{name} has different contextual arguments.")
            self._contextual_arguments[coordinate] = found.pop() if found else ()
        return self._contextual_arguments[coordinate]

    def find_arguments(self, type_name: str, name: str) -> Mapping[str, Any]:
        """The arguments that all subgraphs define and clients may set."""
        coordinate = (type_name, name)
        if coordinate not in self._arguments:
            contextual = {each.name for each in self.find_contextual_arguments(*coordinate)}
            maps = [
                graph.executable.type_map[kind].fields[name].args  # type: ignore[attr-defined]
                for graph, kind, each in self.find_definitions(*coordinate)
            ]
            shared = set.intersection(*(set(each) for each in maps)) - contextual
            self._arguments[coordinate] = {each: maps[0][each] for each in sorted(shared)}
        return self._arguments[coordinate]

    def find_shape(self, type_name: str, name: str) -> Shape:
        """The values of a field that every subgraph and the public schema allow."""
        coordinate = (type_name, name)
        if coordinate not in self._shapes:
            self._shapes[coordinate] = self._find_shape(type_name, name)
        return self._shapes[coordinate]

    def _find_shape(self, type_name: str, name: str) -> Shape:
        provided = self._provided_names
        found: list[tuple[SubgraphSchema | None, TypeNode]] = [
            (graph, each.type)
            for graph, _, each in self.find_definitions(type_name, name)
            if not each.external or (graph.name, name) in provided
        ]
        if not found:
            raise InconsistentError(f"No subgraph resolves {type_name}.{name}.")
        api = self.api.type_map.get(type_name)
        if isinstance(api, GraphQLObjectType) and name in api.fields:
            found.append((None, parse_type(str(api.fields[name].type))))
        return self._merge_shapes(found)

    @cached_property
    def _provided_names(self) -> set[tuple[str, str]]:
        return {
            (graph.name, name)
            for graph in self.subgraphs.values()
            for type_ in graph.types.values()
            for each in type_.fields.values()
            for name in _iterate_names(each.provides)
        }

    def _merge_shapes(self, found: list[tuple[SubgraphSchema | None, TypeNode]]) -> Shape:
        nullable = not any(isinstance(type_, NonNullTypeNode) for _, type_ in found)
        bare = [
            (graph, type_.type if isinstance(type_, NonNullTypeNode) else type_) for graph, type_ in found
        ]
        if all(isinstance(type_, ListTypeNode) for _, type_ in bare):
            return Shape(nullable, self._merge_shapes([(graph, type_.type) for graph, type_ in bare]))  # type: ignore[attr-defined]
        named = [(graph, type_.name.value) for graph, type_ in bare if isinstance(type_, NamedTypeNode)]
        if len(named) != len(bare):
            raise InconsistentError("A field is a list in some subgraphs only.")
        return self._merge_named_shapes(nullable, named)

    def _merge_named_shapes(self, nullable: bool, named: list[tuple[SubgraphSchema | None, str]]) -> Shape:
        schemas = [(graph.executable if graph else self.api, name) for graph, name in named]
        leaves = [schema.type_map[name] for schema, name in schemas if is_leaf_type(schema.type_map[name])]
        if leaves:
            enums = [set(each.values) for each in leaves if isinstance(each, GraphQLEnumType)]
            return Shape(nullable, leaf=tuple(sorted(set.intersection(*enums))) if enums else leaves[0].name)
        types = [self._find_possible_types(graph, name) for graph, name in named]
        return Shape(nullable, types=tuple(sorted(frozenset.intersection(*types))))

    def _find_possible_types(self, graph: SubgraphSchema | None, name: str) -> frozenset[str]:
        if graph is None:
            type_ = self.api.type_map[name]
            if isinstance(type_, GraphQLObjectType):
                return frozenset({name})
            return frozenset(each.name for each in self.api.get_possible_types(type_))  # type: ignore[arg-type]
        if graph.types[name].interface_object:
            return frozenset(self.list_implementers(name))
        return frozenset(graph.find_runtime_types(name))

    def _find_object_types(self, name: str) -> Iterator[str]:
        """The object types of a type name, in any subgraph."""
        known = [graph.types[name] for graph in self.subgraphs.values() if name in graph.types]
        if any(each.kind == "interface" or each.interface_object for each in known):
            yield from self.list_implementers(name)
        elif any(each.kind == "union" for each in known):
            yield from sorted({member for each in known for member in each.members})
        else:
            yield name

    def _read_keys(self) -> None:
        single_keys: set[tuple[str, str]] = set()
        for graph in self.subgraphs.values():
            for type_ in graph.types.values():
                for key in type_.all_keys:
                    for concrete in self._find_object_types(type_.name):
                        self._read_key(graph, concrete, key, single_keys, top_level=True)
        self._coarse -= single_keys

    def _read_key(
        self,
        graph: SubgraphSchema,
        type_name: str,
        key: FieldSet,
        single_keys: set[tuple[str, str]],
        *,
        top_level: bool,
    ) -> None:
        for number, each in enumerate(key):
            coordinate = (type_name, each.name)
            self._protected.add(coordinate)
            if each.selections:
                self._fixed.add(coordinate)
                for _, _, definition in self.find_definitions(*coordinate):
                    for concrete in self._find_object_types(_unwrap_name(definition.type)):
                        self._read_key(graph, concrete, each.selections, single_keys, top_level=False)
                continue
            self._unique.add(coordinate)
            if number and top_level:
                self._coarse.add(coordinate)
            else:
                single_keys.add(coordinate)

    def _read_dependencies(self) -> None:
        for graph in self.subgraphs.values():
            for type_ in graph.types.values():
                for each in type_.fields.values():
                    for concrete in self._find_object_types(type_.name):
                        self._protect(concrete, each.requires)
                    for argument in each.contextual_arguments:
                        for setter in graph.types.values():
                            if argument.context in setter.contexts:
                                for concrete in self._find_object_types(setter.name):
                                    self._protect(concrete, argument.selection)

    def _protect(self, type_name: str, wanted: Iterable[FieldSetField]) -> None:
        for each in wanted:
            if each.on is not None and each.on not in self.list_kinds(type_name):
                continue
            self._protected.add((type_name, each.name))
            for _, _, definition in self.find_definitions(type_name, each.name):
                for concrete in (
                    self._find_object_types(_unwrap_name(definition.type)) if each.selections else ()
                ):
                    self._protect(concrete, each.selections)

    def check(self) -> None:
        """Checks that every field of the public schema can have a value.

        Raises:
            InconsistentError: a field has no value that every subgraph allows.
        """
        for type_ in self.api.type_map.values():
            if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__"):
                for name in type_.fields:
                    self.find_requirements(type_.name, name), self.find_contextual_arguments(type_.name, name)
                    if not has_values(self.find_shape(type_.name, name)):
                        raise InconsistentError("A field has no value that all subgraphs allow.")

    def is_nullability_uniform(self) -> bool:
        """Whether all subgraphs and the public schema agree on nullability."""
        for type_ in self.api.type_map.values():
            if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__"):
                for name, each in type_.fields.items():
                    found = {
                        print_ast(theirs.type) for _, _, theirs in self.find_definitions(type_.name, name)
                    }
                    if found != {str(each.type)}:
                        return False
        return True

    def coerce_arguments(self, type_name: str, wanted: FieldSetField) -> dict[str, Any]:
        """The arguments of a field in a field set, with their defaults."""
        set_values = json.loads(wanted.arguments)
        found = {}
        for name, argument in self.find_arguments(type_name, wanted.name).items():
            if name in set_values:
                found[name] = coerce_input_value(set_values[name], argument.type)
            elif argument.default:
                found[name] = coerce_default_value(argument)
        return found


def has_values(shape: Shape) -> bool:
    """Whether there is any type that all subgraphs can return."""
    return has_values(shape.item) if shape.item else bool(shape.types) or shape.leaf is not None


def _iterate_names(wanted: FieldSet) -> Iterator[str]:
    for each in wanted:
        yield each.name
        yield from _iterate_names(each.selections)


def _unwrap_name(type_: TypeNode) -> str:
    while not isinstance(type_, NamedTypeNode):
        type_ = type_.type  # type: ignore[attr-defined]
    return type_.name.value
