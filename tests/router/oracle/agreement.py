"""What all subgraphs agree on: the objects, the nullability of fields and their dependencies."""

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


class Agreement:
    """The combined statements of subgraphs and of the public schema."""

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
        self._unique: set[tuple[str, str]] = set()
        self._coarse: set[tuple[str, str]] = set()
        self._fixed: set[tuple[str, str]] = set()
        self._protected: set[tuple[str, str]] = set()
        self._read_keys()
        self._read_needs()
        self._shapes: dict[tuple[str, str], Shape] = {}
        self._requires: dict[tuple[str, str], FieldSet] = {}
        self._given: dict[tuple[str, str], tuple[ContextualArgument, ...]] = {}
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
        known = (type_name, name)
        if known not in self._requires:
            resolved = [each for _, _, each in self.find_definitions(*known) if not each.external]
            found = {each.requires for each in resolved}
            if len(found) > 1:
                raise InconsistentError(f"{type_name}.{name} is computed from different things.")
            self._requires[known] = found.pop() if found else ()
        return self._requires[known]

    def find_contextual_arguments(self, type_name: str, name: str) -> tuple[ContextualArgument, ...]:
        """The contextual arguments of a field."""
        known = (type_name, name)
        if known not in self._given:
            resolved = [each for _, _, each in self.find_definitions(*known) if not each.external]
            found = {each.given for each in resolved}
            if len(found) > 1:
                raise InconsistentError(f"{type_name}.{name} is given different things.")
            self._given[known] = found.pop() if found else ()
        return self._given[known]

    def find_arguments(self, type_name: str, name: str) -> Mapping[str, Any]:
        """The arguments that all subgraphs define and clients may give."""
        known = (type_name, name)
        if known not in self._arguments:
            given = {each.argument for each in self.find_contextual_arguments(*known)}
            maps = [
                graph.executable.type_map[kind].fields[name].args  # type: ignore[attr-defined]
                for graph, kind, each in self.find_definitions(*known)
            ]
            shared = set.intersection(*(set(each) for each in maps)) - given
            self._arguments[known] = {each: maps[0][each] for each in sorted(shared)}
        return self._arguments[known]

    def find_shape(self, type_name: str, name: str) -> Shape:
        """The values of a field that every subgraph and the public schema allow."""
        known = (type_name, name)
        if known not in self._shapes:
            self._shapes[known] = self._find_shape(type_name, name)
        return self._shapes[known]

    def _find_shape(self, type_name: str, name: str) -> Shape:
        provided = self._provided_names
        found: list[tuple[SubgraphSchema | None, TypeNode]] = [
            (graph, each.type)
            for graph, _, each in self.find_definitions(type_name, name)
            if not each.external or (graph.name, name) in provided
        ]
        if not found:
            raise InconsistentError(f"Nobody resolves {type_name}.{name}.")
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
            raise InconsistentError("A list here is none there.")
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
        alone: set[tuple[str, str]] = set()
        for graph in self.subgraphs.values():
            for type_ in graph.types.values():
                for key in type_.all_keys:
                    for concrete in self._find_object_types(type_.name):
                        self._read_key(graph, concrete, key, alone, first=True)
        self._coarse -= alone

    def _read_key(
        self,
        graph: SubgraphSchema,
        type_name: str,
        key: FieldSet,
        alone: set[tuple[str, str]],
        *,
        first: bool,
    ) -> None:
        for number, each in enumerate(key):
            where = (type_name, each.name)
            self._protected.add(where)
            if each.below:
                self._fixed.add(where)
                for _, _, definition in self.find_definitions(*where):
                    for concrete in self._find_object_types(_unwrap_name(definition.type)):
                        self._read_key(graph, concrete, each.below, alone, first=False)
                continue
            self._unique.add(where)
            if number and first:
                self._coarse.add(where)
            else:
                alone.add(where)

    def _read_needs(self) -> None:
        for graph in self.subgraphs.values():
            for type_ in graph.types.values():
                for each in type_.fields.values():
                    for concrete in self._find_object_types(type_.name):
                        self._protect(concrete, each.requires)
                    for given in each.given:
                        for setter in graph.types.values():
                            if given.context in setter.contexts:
                                for concrete in self._find_object_types(setter.name):
                                    self._protect(concrete, given.wanted)

    def _protect(self, type_name: str, wanted: Iterable[FieldSetField]) -> None:
        for each in wanted:
            if each.on is not None and each.on not in self.list_kinds(type_name):
                continue
            self._protected.add((type_name, each.name))
            for _, _, definition in self.find_definitions(type_name, each.name):
                for concrete in self._find_object_types(_unwrap_name(definition.type)) if each.below else ():
                    self._protect(concrete, each.below)

    def check(self) -> None:
        """Looks at every field that clients see.

        Raises:
            InconsistentError: there cannot be a value that every subgraph allows.
        """
        for type_ in self.api.type_map.values():
            if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__"):
                for name in type_.fields:
                    self.find_requirements(type_.name, name), self.find_contextual_arguments(type_.name, name)
                    if not has_values(self.find_shape(type_.name, name)):
                        raise InconsistentError("No type can be returned.")

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
        given = json.loads(wanted.arguments)
        found = {}
        for name, argument in self.find_arguments(type_name, wanted.name).items():
            if name in given:
                found[name] = coerce_input_value(given[name], argument.type)
            elif argument.default:
                found[name] = coerce_default_value(argument)
        return found


def has_values(shape: Shape) -> bool:
    """Whether there is any type that all subgraphs can return."""
    return has_values(shape.item) if shape.item else bool(shape.types) or shape.leaf is not None


def _iterate_names(wanted: FieldSet) -> Iterator[str]:
    for each in wanted:
        yield each.name
        yield from _iterate_names(each.below)


def _unwrap_name(type_: TypeNode) -> str:
    while not isinstance(type_, NamedTypeNode):
        type_ = type_.type  # type: ignore[attr-defined]
    return type_.name.value
