"""Subgraphs for the router: each executes its own schema and checks the requests that it receives."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import DocumentNode, ExecutionResult, GraphQLResolveInfo, execute_sync, parse, validate

from router.transport.base import RequestContext
from tests.router.oracle.subgraphs import FieldSet, FieldSetField, SubgraphSchema
from tests.router.oracle.world import Fault, World, WorldObject


class Violation(Exception):
    """The router sent a request that it must not send."""


@dataclass(frozen=True, slots=True)
class ServedObject:
    """An object in a subgraph: its type there, its representation and its provided fields."""

    obj: WorldObject
    type: str
    representation: Mapping[str, Any] | None = None
    provided: FieldSet = ()


@dataclass(slots=True)
class Run:
    """The run of one operation: its violations, the number of its mutations and its fetches."""

    labels: frozenset[str] = frozenset()
    violations: list[str] = field(default_factory=list)
    effects: int = 0
    fetches: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


class ServedSubgraphs:
    """All subgraphs of a world; a transport for the executor."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.run = Run()
        self._graphs = {name: _ServedSubgraph(world, graph) for name, graph in world.subgraphs.items()}

    async def fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
        """Executes a request and records its violations."""
        del context
        return self.answer(subgraph, orjson.loads(body))

    def answer(self, subgraph: str, request: dict[str, Any]) -> dict[str, Any]:
        """Executes a request in a subgraph and records its violations."""
        self.run.fetches.append((subgraph, request))
        result = self._graphs[subgraph].execute(request, self.run)
        for error in result.errors or ():
            if not isinstance(error.original_error, Fault):
                self.run.violations.append(f"{subgraph}: {error.message}")
        return dict(result.formatted)


class _ServedSubgraph:
    """One subgraph."""

    def __init__(self, world: World, graph: SubgraphSchema) -> None:
        self._world = world
        self._graph = graph
        self._documents: dict[str, DocumentNode | ExecutionResult] = {}
        self._indexes: dict[tuple[str, FieldSet], dict[str, WorldObject]] = {}

    def execute(self, request: Mapping[str, Any], run: Run) -> ExecutionResult:
        text = request["query"]
        if text not in self._documents:
            self._documents[text] = self._read(text)
        document = self._documents[text]
        if isinstance(document, ExecutionResult):
            return document
        return execute_sync(
            self._graph.executable,
            document,
            context_value=run,
            variable_values=request.get("variables") or {},
            field_resolver=self._resolve,
            type_resolver=lambda value, _info, _type: value.type,
        )

    def _read(self, text: str) -> DocumentNode | ExecutionResult:
        document = parse(text, no_location=True)
        if errors := validate(self._graph.executable, document):
            return ExecutionResult(None, errors)
        return document

    def _resolve(self, source: ServedObject | None, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        name = info.field_name
        if name == "_entities":
            return [self._resolve_entity(each, info.context) for each in arguments["representations"]]
        if name == "_service":
            return None
        root = info.parent_type.name
        parent = source or ServedObject(WorldObject(root, root), root)
        return self._resolve_field(parent, name, arguments, info.context)

    def _resolve_field(self, parent: ServedObject, name: str, arguments: dict[str, Any], run: Run) -> Any:
        world, field_ = self._world, self._graph.types[parent.type].fields[name]
        provided_selections = tuple(
            each for each in parent.provided if each.name == name and self._applies(each, parent)
        )
        if field_.external and not provided_selections:
            raise Violation(f"{parent.type}.{name} is external and not provided here")
        if field_.external:
            return self._wrap(
                world.resolve(parent.obj, name, arguments),
                _unwrap_name(self._graph, parent.type, name),
                _collect_selections(provided_selections),
            )
        self._check_override(parent.type, name, run)
        required = None
        if field_.requires:
            required = self._read_required(parent, name, field_.requires)
        contextual = {each.name: arguments.pop(each.name) for each in field_.contextual_arguments} or None
        if parent.type == "Mutation":
            run.effects += 1
        effect = run.effects if parent.type == "Mutation" else 0
        value = world.compute_value(parent.obj, name, arguments, required, contextual, effect)
        provided = (*field_.provides, *_collect_selections(provided_selections))
        declared = _unwrap_name(self._graph, parent.type, name)
        return self._wrap(value, declared, provided)

    def _wrap(self, value: Any, declared: str, provided: FieldSet) -> Any:
        if isinstance(value, list):
            return [self._wrap(item, declared, provided) for item in value]
        if not isinstance(value, WorldObject):
            return value
        as_object = self._graph.types[declared].interface_object
        return ServedObject(value, declared if as_object else value.type, None, provided)

    def _applies(self, wanted: FieldSetField, parent: ServedObject) -> bool:
        return wanted.on is None or wanted.on in self._world.list_kinds(parent.type)

    def _check_override(self, type_name: str, name: str, run: Run) -> None:
        for other in self._world.subgraphs.values():
            definition = other.types.get(type_name)
            override = definition.fields[name].override if definition and name in definition.fields else None
            if (
                override
                and override[0] == self._graph.name
                and (override[1] is None or override[1] in run.labels)
            ):
                raise Violation(f"{type_name}.{name} is overridden by {other.name}")
        own = self._graph.types[type_name].fields[name].override
        if own and own[1] is not None and own[1] not in run.labels:
            raise Violation(f"{type_name}.{name} does not override {own[0]} now")

    def _read_required(self, parent: ServedObject, name: str, required: FieldSet) -> Any:
        if parent.representation is None:
            raise Violation(f"{parent.type}.{name} is selected without a representation")
        try:
            return self._world.read_representation(parent.representation, parent.obj.type, required)
        except KeyError as error:
            raise Violation(
                f"{parent.type}.{name} requires {error}, which the representation lacks"
            ) from None

    def _resolve_entity(self, representation: dict[str, Any], run: Run) -> ServedObject | None:
        del run
        typename = representation["__typename"]
        type_ = self._graph.types.get(typename)
        if type_ is None or not type_.keys:
            raise Violation(f"{typename} is not an entity here: {representation}")
        missing = []
        for key in type_.keys:
            try:
                key_values = self._world.read_representation(representation, typename, key)
            except KeyError as error:
                missing.append(str(error))
                continue
            obj = self._index(typename, key).get(json.dumps(key_values, sort_keys=True))
            if obj is None:
                raise Violation(f"There is no such {typename}: {representation}")
            if type_.kind == "interface" and not self._is_type_unknown(typename):
                raise Violation(f"The representation names the interface {typename}: {representation}")
            return ServedObject(obj, obj.type if type_.kind == "interface" else typename, representation)
        raise Violation(f"No key of {typename} is complete (lacking {', '.join(missing)}): {representation}")

    def _is_type_unknown(self, interface: str) -> bool:
        """Whether the router may not know which type an object of an interface has."""
        return any(
            interface in graph.types and graph.types[interface].interface_object
            for graph in self._world.subgraphs.values()
        )

    def _index(self, type_name: str, key: FieldSet) -> dict[str, WorldObject]:
        index_key = (type_name, key)
        if index_key not in self._indexes:
            self._indexes[index_key] = {
                json.dumps(self._world.select(each, key), sort_keys=True): each
                for each in self._world.list_entities(type_name)
            }
        return self._indexes[index_key]


def _collect_selections(wanted: FieldSet) -> FieldSet:
    return tuple(deeper for each in wanted for deeper in each.selections)


def _unwrap_name(graph: SubgraphSchema, type_name: str, name: str) -> str:
    return str(graph.executable.type_map[type_name].fields[name].type).strip("[]!")  # type: ignore[attr-defined]
