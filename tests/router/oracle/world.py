"""The world behind a graph: the value of every field of every object, as a function of the object's identity.

There are a few entities of each type; other objects belong to the field that returned them. A field with
`@requires` or contextual arguments depends on their values as well, so a wrong input makes a wrong value.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from typing import Any

from graphql import GraphQLSchema

from tests.router.oracle.merged_schema import InconsistentError, MergedSchema, Shape
from tests.router.oracle.subgraphs import ContextualArgument, FieldSet, FieldSetField, SubgraphSchema

COUNT = 4
ROOTS = ("Query", "Mutation")


class Fault(Exception):
    """A field fails in all subgraphs."""


@dataclass(frozen=True, slots=True)
class WorldObject:
    """An object of the world and its enclosing objects."""

    identity: str
    type: str
    parent: WorldObject | None = field(default=None, compare=False)


class World(MergedSchema):
    """The world behind some subgraphs; `fault_rate` is the share of fields that fail."""

    def __init__(
        self, subgraphs: Mapping[str, SubgraphSchema], api: GraphQLSchema, fault_rate: float = 0.0
    ) -> None:
        super().__init__(subgraphs, api)
        self._fault_rate = fault_rate

    def list_entities(self, type_name: str) -> list[WorldObject]:
        """All entities of an object type, or of the types that have an interface."""
        return [
            WorldObject(f"{name}-{number}", name)
            for name in self._find_object_types(type_name)
            for number in range(COUNT)
        ]

    def compute_value(
        self,
        obj: WorldObject,
        name: str,
        arguments: Mapping[str, Any],
        required: Any = None,
        contextual: Any = None,
        effect: int = 0,
    ) -> Any:
        """The value of a field, from the values that it depends on.

        Raises:
            Fault: it fails.
        """
        coordinate = (obj.type, name)
        shape = self.find_shape(*coordinate)
        if coordinate in self._unique:
            return self._build_key_value(obj, name, shape)
        is_fixed = coordinate in self._fixed
        number = int(obj.identity.rpartition("-")[2]) if is_fixed and obj.type in self.entities else None
        own = {key: each for key, each in arguments.items() if key in self.find_arguments(*coordinate)}
        text = json.dumps([obj.identity, name, own, required, contextual, effect], sort_keys=True)
        if coordinate not in self._protected and _digest("fault", text) % 1000 < self._fault_rate * 1000:
            raise Fault(f"{obj.type}.{name} fails")
        return self._build_value(shape, obj, text, number, is_fixed=is_fixed)

    def _build_key_value(self, obj: WorldObject, name: str, shape: Shape) -> Any:
        if obj.type in self.entities:
            number = int(obj.identity.rpartition("-")[2])
            if (obj.type, name) in self._coarse:
                number //= 2
            if shape.leaf == "Int":
                return number * 7 + 1
            return f"{name}-{obj.type}-{number}"
        number = _digest("key", obj.identity) % 2**31
        return number if shape.leaf == "Int" else f"{name}-{number}"

    def _build_value(
        self, shape: Shape, obj: WorldObject, text: str, fixed: int | None, *, is_fixed: bool
    ) -> Any:
        number = _digest("", text)
        if shape.nullable and not is_fixed and number % 7 == 0:
            return None
        number //= 7
        if shape.item:
            length = 2 if is_fixed else number % 4
            return [
                self._build_value(
                    shape.item,
                    obj,
                    f"{text}{index}",
                    None if fixed is None else fixed + index,
                    is_fixed=is_fixed,
                )
                for index in range(length)
            ]
        if shape.leaf is not None:
            return _build_leaf(shape.leaf, number)
        return self._build_object(shape, obj, number, fixed) if shape.types else None

    def _build_object(self, shape: Shape, obj: WorldObject, number: int, fixed: int | None) -> WorldObject:
        type_name = shape.types[number % len(shape.types)]
        if type_name in self.entities:
            index = number // 16 if fixed is None else fixed
            return WorldObject(f"{type_name}-{index % COUNT}", type_name, obj)
        if type_name in ROOTS:
            return WorldObject(type_name, type_name, obj)
        return WorldObject(f"{type_name}~{number:x}", type_name, obj)

    def resolve(self, obj: WorldObject, name: str, arguments: Mapping[str, Any], effect: int = 0) -> Any:
        """The value of a field, whose dependencies are resolved first."""
        required = self.find_requirements(obj.type, name)
        found = self.select(obj, required) if required else None
        return self.compute_value(obj, name, arguments, found, self._read_contexts(obj, name), effect)

    def _read_contexts(self, obj: WorldObject, name: str) -> Any:
        arguments = self.find_contextual_arguments(obj.type, name)
        return {each.name: self._read_context(obj, each) for each in arguments} or None

    def _read_context(self, obj: WorldObject, argument: ContextualArgument) -> Any:
        enclosing = obj.parent
        while enclosing is not None:
            if any(
                self._sets_context(graph, enclosing.type, argument.context)
                for graph in self.subgraphs.values()
            ):
                [value] = self.select(enclosing, argument.selection).values()
                return value
            enclosing = enclosing.parent
        raise InconsistentError("No enclosing object sets the context.")

    def _sets_context(self, graph: SubgraphSchema, type_name: str, context: str) -> bool:
        kinds = {
            *self.list_kinds(type_name),
            *(each.name for each in graph.types.values() if type_name in each.members),
        }
        return any(kind in graph.types and context in graph.types[kind].contexts for kind in kinds)

    def select(self, obj: WorldObject, wanted: FieldSet) -> dict[str, Any]:
        """Selects a field set of an object, as JSON."""
        found: dict[str, Any] = {}
        for name, each in _merge_fields(wanted, self.list_kinds(obj.type)).items():
            value = self.resolve(obj, name, self.coerce_arguments(obj.type, each))
            found[name] = self._to_json(value, each.selections)
        return found

    def _to_json(self, value: Any, below: FieldSet) -> Any:
        if isinstance(value, list):
            return [self._to_json(item, below) for item in value]
        return self.select(value, below) if isinstance(value, WorldObject) else value

    def read_representation(
        self, representation: Mapping[str, Any], type_name: str, wanted: FieldSet
    ) -> dict[str, Any]:
        """Reads the values of a field set from a representation.

        Raises:
            KeyError: the representation lacks a part of it.
        """
        kinds = (
            self.list_kinds(representation.get("__typename", type_name)) if representation else frozenset()
        )
        found = {}
        for name, each in _merge_fields(wanted, kinds | self.list_kinds(type_name)).items():
            found[name] = self._read_representation_value(representation[name], each.selections)
        return found

    def _read_representation_value(self, value: Any, below: FieldSet) -> Any:
        if isinstance(value, list):
            return [self._read_representation_value(item, below) for item in value]
        if not below or value is None:
            return value
        if any(each.on for each in below) and "__typename" not in value:
            raise KeyError("__typename")
        return self.read_representation(value, value.get("__typename", ""), below)


def _merge_fields(wanted: FieldSet, kinds: frozenset[str]) -> dict[str, FieldSetField]:
    found: dict[str, FieldSetField] = {}
    for each in wanted:
        if each.on is None or each.on in kinds:
            known = found.get(each.name)
            found[each.name] = (
                FieldSetField(each.name, each.arguments, (*known.selections, *each.selections), None)
                if known
                else each
            )
    return found


def _build_leaf(leaf: Any, number: int) -> Any:
    match leaf:
        case "Int":
            return number % 1000
        case "Float":
            return number % 1000 / 8
        case "Boolean":
            return number % 2 == 0
        case "String" | "ID":
            return f"{number % 100000:x}"
    return leaf[number % len(leaf)]


@cache
def _digest(*parts: object) -> int:
    return int.from_bytes(blake2b("\0".join(map(str, parts)).encode(), digest_size=7).digest())
