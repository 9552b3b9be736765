"""The minimal number of requests for a small query, found by trying all sequences of fetches.

A fetch enters a subgraph at one response path of the query, its root or an object with a key, and resolves
all that the subgraph can resolve from there on down. What it needs there, the fields of a key and of
`@requires`, earlier fetches must have resolved. Sequences are tried by their length, so the first that
resolves every field is minimal. For

    { pick { price owner { name } } }

where `a` has `pick` and `owner`, and `b` has `price` and `name` of both entities, `a at the root` alone
resolves neither leaf, `b at pick` after it resolves `price` alone, and `b at pick.owner` is the third.

Queries over abstract types, with conditions or with contexts are not tried, nor are keys that only several
fetches together can supply. That can only make the number found too high, so a plan with more requests is
not optimal. A `@provides` counts only where the supergraph has it: composers leave it out of a field that all
subgraphs define alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_leaf_type,
)

from router.supergraph import Supergraph
from tests.router.oracle.reachability import Reachability
from tests.router.oracle.subgraphs import FederatedField, FieldSet, FieldSetField, SubgraphSchema
from tests.router.oracle.world import World

ROOT, TYPENAME = "Query", "__typename"
MAX_TRIES = 5_000
ResponsePath: TypeAlias = tuple[str, ...]


@dataclass(slots=True)
class SelectedFields:
    """What a query selects on the objects at one path: leaves and objects, by response name.

    `plain` has the leaves without arguments.
    """

    type: str
    leaves: dict[str, str] = field(default_factory=dict)
    objects: dict[str, str] = field(default_factory=dict)
    plain: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class ReachedObject:
    """An object at a path in a subgraph, with the fields that `@provides` makes available there."""

    path: ResponsePath
    graph: str
    provided: FieldSet = ()


@dataclass(frozen=True, slots=True)
class State:
    """What some fetches have resolved: the objects in each subgraph, and the leaves."""

    objects: frozenset[ReachedObject] = frozenset()
    leaves: frozenset[tuple[ResponsePath, str]] = frozenset()


class _UnsupportedQuery(Exception):
    """The search does not support the query."""


class MinimalRequests:
    """The minimal requests of small queries, with the progressive overrides of some labels active."""

    def __init__(self, world: World, supergraph: Supergraph, labels: frozenset[str]) -> None:
        self._world = world
        self._supergraph = supergraph
        self._reachability = Reachability(world, labels)
        self._places: dict[ResponsePath, SelectedFields] = {}
        self._fragments: Mapping[str, FragmentDefinitionNode] = {}
        self._tried = 0

    def find(self, document: DocumentNode, node: OperationDefinitionNode, limit: int) -> int | None:
        """The number of requests of an optimal plan, or `limit` if there is none with fewer.

        None for a query that the search does not support.
        """
        self._places, self._tried = {(): SelectedFields(ROOT)}, 0
        self._fragments = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        try:
            self._read_selections((), node.selection_set)
            return next((length for length in range(1, limit) if self._is_solvable(State(), length)), limit)
        except _UnsupportedQuery:
            return None

    def _read_selections(self, path: ResponsePath, selections: SelectionSetNode) -> None:
        for node in selections.selections:
            if node.directives:
                raise _UnsupportedQuery
            if isinstance(node, FieldNode):
                self._read_field(path, node)
                continue
            fragment: Any = self._fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
            condition = fragment.type_condition
            if condition is None or self._applies(condition.name.value, self._places[path].type):
                self._read_selections(path, fragment.selection_set)

    def _applies(self, condition: str, type_name: str) -> bool:
        type_: Any = self._world.api.type_map[condition]
        return condition == type_name or (
            not isinstance(type_, GraphQLObjectType)
            and type_name in {each.name for each in self._world.api.get_possible_types(type_)}
        )

    def _read_field(self, path: ResponsePath, node: FieldNode) -> None:
        selected, name = self._places[path], node.name.value
        key = node.alias.value if node.alias else name
        if name == TYPENAME:
            selected.leaves[key] = name
            return
        type_: Any = self._world.api.type_map[selected.type]
        if name not in type_.fields:
            raise _UnsupportedQuery
        named = get_named_type(type_.fields[name].type)
        if is_leaf_type(named):
            selected.leaves[key] = name
            if not node.arguments:
                selected.plain.add(key)
        elif isinstance(named, GraphQLObjectType) and named.name != ROOT and node.selection_set:
            selected.objects[key] = name
            self._places.setdefault((*path, key), SelectedFields(named.name))
            self._read_selections((*path, key), node.selection_set)
        else:
            raise _UnsupportedQuery

    def _is_solvable(self, state: State, length: int) -> bool:
        """Whether the rest can be resolved with so many more fetches."""
        rest = [
            (path, key)
            for path, selected in self._places.items()
            for key, name in selected.leaves.items()
            if (path, name) != ((), TYPENAME)
        ]
        reached = {each.path for each in state.objects}
        if state.leaves.issuperset(rest) and reached >= self._places.keys() - {()}:
            return True
        return length > 0 and any(
            self._is_solvable(after, length - 1) for after in self._iterate_next_states(state)
        )

    def _iterate_next_states(self, state: State) -> Iterator[State]:
        """The states after one more fetch that resolves something new."""
        for path in self._places:
            for graph in self._world.subgraphs.values():
                if not self._can_enter(state, path, graph):
                    continue
                self._tried += 1
                if self._tried > MAX_TRIES:
                    raise _UnsupportedQuery
                after = self._fetch(state, path, graph)
                if after != state:
                    yield after

    def _can_enter(self, state: State, path: ResponsePath, graph: SubgraphSchema) -> bool:
        type_ = graph.types.get(self._places[path].type)
        if type_ is None:
            return False
        return not path or any(self._has_fetched(state, path, key) for key in type_.keys)

    def _fetch(self, state: State, path: ResponsePath, graph: SubgraphSchema) -> State:
        objects, leaves = set(state.objects), set(state.leaves)
        following: list[tuple[ResponsePath, FieldSet]] = [(path, ())]
        while following:
            here, provided = following.pop()
            selected = self._places[here]
            objects.add(ReachedObject(here, graph.name, provided))
            for key, name in (selected.leaves | selected.objects).items():
                if name == TYPENAME:
                    leaves.add((here, key))
                    continue
                own = graph.types[selected.type].fields.get(name)
                if own is None or not self._can_resolve(graph, selected.type, own, provided):
                    continue
                if own.requires and not (here == path != () and self._has_fetched(state, here, own.requires)):
                    continue
                if key in selected.leaves:
                    leaves.add((here, key))
                else:
                    provides = own.provides if self._is_listed(graph, selected.type, name) else ()
                    following.append(((*here, key), (*provides, *_collect_selections(own, provided))))
        return State(frozenset(objects), frozenset(leaves))

    def _has_fetched(self, state: State, path: ResponsePath, wanted: FieldSet) -> bool:
        """Whether fetches have resolved, or could have resolved as well, a field set at a path."""
        selected = self._places[path]
        plain = {
            selected.leaves[key] for where, key in state.leaves if where == path and key in selected.plain
        }
        objects = [each for each in state.objects if each.path == path]
        return all(
            (not each.selections and each.arguments == "{}" and each.name in plain)
            or any(
                self._can_fetch(selected.type, each, reached.graph, reached.provided) for reached in objects
            )
            for each in wanted
        )

    def _can_fetch(self, type_name: str, wanted: FieldSetField, graph_name: str, provided: FieldSet) -> bool:
        graph = self._world.subgraphs[graph_name]
        own = graph.types[type_name].fields.get(wanted.name)
        if own is None or own.requires or wanted.on or not self._can_resolve(graph, type_name, own, provided):
            return False
        if not wanted.selections:
            return True
        shape = self._world.find_shape(type_name, wanted.name)
        while shape.item:
            shape = shape.item
        if len(shape.types) != 1 or shape.types[0] not in graph.types:
            return False
        provides = own.provides if self._is_listed(graph, type_name, own.name) else ()
        deeper = (*provides, *_collect_selections(own, provided))
        return all(self._can_fetch(shape.types[0], each, graph_name, deeper) for each in wanted.selections)

    def _can_resolve(
        self, graph: SubgraphSchema, type_name: str, own: FederatedField, provided: FieldSet
    ) -> bool:
        if own.contextual_arguments:
            return False
        if own.external:
            return any(each.name == own.name and not each.on for each in provided)
        return self._reachability.is_resolved_in(graph, type_name, own)

    def _is_listed(self, graph: SubgraphSchema, type_name: str, name: str) -> bool:
        """Whether the supergraph has the `@provides` of a subgraph's field."""
        info, type_ = self._supergraph.subgraphs[graph.name], self._supergraph.types[type_name]
        join = type_.fields[name].get(info.graph_id)
        return join is not None and join.provides is not None


def _collect_selections(own: FederatedField, provided: FieldSet) -> FieldSet:
    return tuple(deeper for each in provided if each.name == own.name for deeper in each.selections)
