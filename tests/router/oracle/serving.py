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

    thing: WorldObject
    type: str
    representation: Mapping[str, Any] | None = None
    provided: FieldSet = ()


@dataclass(slots=True)
class Run:
    """The run of one operation: its violations, its number of effects and its fetches."""

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
        held = source or ServedObject(WorldObject(root, root), root)
        return self._resolve_field(held, name, arguments, info.context)

    def _resolve_field(self, held: ServedObject, name: str, arguments: dict[str, Any], run: Run) -> Any:
        world, own = self._world, self._graph.types[held.type].fields[name]
        below = tuple(each for each in held.provided if each.name == name and self._applies(each, held))
        if own.external and not below:
            raise Violation(f"{held.type}.{name} is external and nothing here provides it")
        if own.external:
            return self._hold(
                world.resolve(held.thing, name, arguments),
                _unwrap_name(self._graph, held.type, name),
                _collect_below(below),
            )
        self._check_override(held.type, name, run)
        required = None
        if own.requires:
            required = self._read_required(held, name, own.requires)
        given = {each.argument: arguments.pop(each.argument) for each in own.given} or None
        if held.type == "Mutation":
            run.effects += 1
        effect = run.effects if held.type == "Mutation" else 0
        value = world.compute_value(held.thing, name, arguments, required, given, effect)
        provided = (*own.provides, *_collect_below(below))
        declared = _unwrap_name(self._graph, held.type, name)
        return self._hold(value, declared, provided)

    def _hold(self, value: Any, declared: str, provided: FieldSet) -> Any:
        if isinstance(value, list):
            return [self._hold(item, declared, provided) for item in value]
        if not isinstance(value, WorldObject):
            return value
        as_object = self._graph.types[declared].interface_object
        return ServedObject(value, declared if as_object else value.type, None, provided)

    def _applies(self, wanted: FieldSetField, held: ServedObject) -> bool:
        return wanted.on is None or wanted.on in self._world.list_kinds(held.type)

    def _check_override(self, type_name: str, name: str, run: Run) -> None:
        for other in self._world.subgraphs.values():
            their = other.types.get(type_name)
            override = their.fields[name].override if their and name in their.fields else None
            if (
                override
                and override[0] == self._graph.name
                and (override[1] is None or override[1] in run.labels)
            ):
                raise Violation(f"{type_name}.{name} is overridden by {other.name}")
        own = self._graph.types[type_name].fields[name].override
        if own and own[1] is not None and own[1] not in run.labels:
            raise Violation(f"{type_name}.{name} does not override {own[0]} now")

    def _read_required(self, held: ServedObject, name: str, required: FieldSet) -> Any:
        if held.representation is None:
            raise Violation(f"{held.type}.{name} is selected without a representation")
        try:
            return self._world.read_representation(held.representation, held.thing.type, required)
        except KeyError as error:
            raise Violation(f"{held.type}.{name} requires {error}, which the representation lacks") from None

    def _resolve_entity(self, representation: dict[str, Any], run: Run) -> ServedObject | None:
        del run
        named = representation["__typename"]
        type_ = self._graph.types.get(named)
        if type_ is None or not type_.keys:
            raise Violation(f"{named} is not an entity here: {representation}")
        lacking = []
        for key in type_.keys:
            try:
                presented = self._world.read_representation(representation, named, key)
            except KeyError as error:
                lacking.append(str(error))
                continue
            thing = self._index(named, key).get(json.dumps(presented, sort_keys=True))
            if thing is None:
                raise Violation(f"There is no such {named}: {representation}")
            if type_.kind == "interface" and not self._is_type_unknown(named):
                raise Violation(f"The representation names the interface {named}: {representation}")
            return ServedObject(thing, thing.type if type_.kind == "interface" else named, representation)
        raise Violation(f"No key of {named} is whole ({', '.join(lacking)}): {representation}")

    def _is_type_unknown(self, interface: str) -> bool:
        """Whether the router may not know which type an object of an interface has."""
        return any(
            interface in graph.types and graph.types[interface].interface_object
            for graph in self._world.subgraphs.values()
        )

    def _index(self, type_name: str, key: FieldSet) -> dict[str, WorldObject]:
        known = (type_name, key)
        if known not in self._indexes:
            self._indexes[known] = {
                json.dumps(self._world.select(each, key), sort_keys=True): each
                for each in self._world.list_entities(type_name)
            }
        return self._indexes[known]


def _collect_below(wanted: FieldSet) -> FieldSet:
    return tuple(deeper for each in wanted for deeper in each.below)


def _unwrap_name(graph: SubgraphSchema, type_name: str, name: str) -> str:
    return str(graph.executable.type_map[type_name].fields[name].type).strip("[]!")  # type: ignore[attr-defined]
