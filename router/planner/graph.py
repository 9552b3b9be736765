"""The query graph: what can be asked where, and how to move from one place to another.

A node is a type in a subgraph. `paths` works out which entity moves are possible from a node.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graphql import ListTypeNode, NamedTypeNode, NonNullTypeNode, TypeNode, is_leaf_type

from router.operation.normalize import normalize_field_set
from router.operation.selections import TYPENAME, FieldSelection, SelectionSet
from router.planner.contexts import Contexts
from router.planner.moves import NO_CONTEXTS, NOTHING, FieldMove, Node, Provided, inline
from router.supergraph import Supergraph
from router.supergraph.join_spec import ContextArgument, EntityKey, FieldJoin

NO_TYPES: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Entrance:
    """A key by which a node can be entered from outside."""

    target: Node
    key: SelectionSet | None


class QueryGraph:
    """The moves that a supergraph allows, with the progressive overrides of some labels active."""

    def __init__(self, supergraph: Supergraph, labels: frozenset[str] = frozenset()) -> None:
        self.supergraph = supergraph
        self.contexts = Contexts(supergraph)
        self._labels = labels
        self._moves: dict[tuple[Node, str], FieldMove | None] = {}
        self._field_sets: dict[tuple[str, str], SelectionSet] = {}
        self._entrances: dict[str, tuple[Entrance, ...]] = {}

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def roots(self, operation_type: str) -> list[Node]:
        """The root type of an operation in every subgraph that has it."""
        name = self.supergraph.root_type(operation_type)
        return [] if name is None else [Node(name, graph) for graph in self.supergraph.types[name].joins]

    def field_move(self, node: Node, name: str) -> FieldMove | None:
        """The field of a node, if the subgraph resolves it there without being given anything."""
        known = (node, name)
        if known not in self._moves:
            self._moves[known] = self._find_field_move(node, name)
        return self._moves[known]

    def requirement(self, node: Node, name: str) -> SelectionSet | None:
        """What a field of the node requires of other subgraphs; None if it can be had there without."""
        join = self._join(node, name)
        if join is None or not join.requires or join.is_external:
            return None
        return self.field_set(node.type, join.requires)

    def context_arguments(self, node: Node, name: str) -> tuple[ContextArgument, ...]:
        """The arguments that a field of the node takes from enclosing objects."""
        join = self._join(node, name)
        return () if join is None or join.is_external else join.context_arguments

    def contexts_set(self, node: Node) -> frozenset[str]:
        """The contexts that an object of the node sets for what is below it."""
        if not self.contexts.fields:
            return NO_CONTEXTS
        return self.contexts.set_by(self.runtime_types(node) or self.supergraph.possible_types(node.type))

    def required_move(self, node: Node, name: str) -> FieldMove:
        """The move along a field whose requirements are met."""
        join = self._join(node, name)
        assert join is not None
        return self._move_along(node, name, join, NOTHING)

    def entrances(self, type_name: str) -> tuple[Entrance, ...]:
        """Where an object of a type can be entered, as itself or as an interface object."""
        if type_name not in self._entrances:
            self._entrances[type_name] = tuple(self._find_entrances(type_name))
        return self._entrances[type_name]

    def runtime_types(self, node: Node) -> frozenset[str]:
        """The concrete types that values can have where they come from this subgraph.

        The node is not an interface object: of that no subgraph tells the concrete types.
        """
        types = self.supergraph.types
        join = types[node.type].joins[node.graph]
        if not self.supergraph.is_abstract(node.type):
            return frozenset({node.type})
        if join.members:
            return join.members
        return frozenset(
            name
            for name in self.supergraph.possible_types(node.type)
            if (there := types[name].joins.get(node.graph)) and node.type in there.interfaces
        )

    def is_interface_object(self, node: Node) -> bool:
        """Whether the subgraph knows an interface only as if it were an object type."""
        return self.supergraph.types[node.type].joins[node.graph].is_interface_object

    def provides_apart(self, node: Node, name: str) -> bool:
        """Whether the way to an abstract type provides a field of some of its types only."""
        possible = self.supergraph.possible_types(node.type) - {node.type} if node.provided else NO_TYPES
        return any(type_ in possible and field_ == name for type_, field_, _ in node.provided)

    def has_apart(self, node: Node, name: str) -> bool:
        """Whether all types behind an abstract one have a field there that this itself has not."""
        if self.is_interface_object(node) or self.field_move(node, name) is not None:
            return False
        types = self.runtime_types(node)
        return bool(types) and all(self.field_move(self.narrowed(node, each), name) for each in types)

    def known_by_name(self, node: Node) -> frozenset[str]:
        """The types of an abstract one whose objects can be entered there by their own names."""
        if not self.supergraph.is_abstract(node.type) or self.is_interface_object(node):
            return NO_TYPES
        types = self.supergraph.types
        return frozenset(
            name
            for name in self.runtime_types(node)
            if any(key.is_resolvable for key in types[name].joins[node.graph].keys)
        )

    def narrowed(self, node: Node, type_name: str) -> Node:
        """The node of one of the runtime types of an abstract one."""
        kinds = {type_name, *self.supergraph.interfaces_of(type_name)}
        return Node(type_name, node.graph, frozenset(each for each in node.provided if each[0] in kinds))

    def field_set(self, type_name: str, text: str) -> SelectionSet:
        """A field set in normal form."""
        known = (type_name, text)
        if known not in self._field_sets:
            self._field_sets[known] = normalize_field_set(self.supergraph.schema, type_name, text)
        return self._field_sets[known]

    def _find_field_move(self, node: Node, name: str) -> FieldMove | None:
        if name == TYPENAME:
            return None if self.is_interface_object(node) else FieldMove(name, node, None)
        join = self._join(node, name)
        below = self._provided(node, name)
        if join is None and below is not None:
            join = self._owned(node, name)
        if join is None or (join.is_external and below is None) or _is_given(join):
            return None
        if below is None and not self._is_uniform(node, name):
            return None
        return self._move_along(node, name, join, below or NOTHING)

    def _move_along(self, node: Node, name: str, join: FieldJoin, below: Provided) -> FieldMove:
        target, lists = named_and_lists(join.type)
        if is_leaf_type(self.supergraph.named_type(target)):
            return FieldMove(name, node, None, lists)
        if join.provides:
            below |= provided_by(self.field_set(target, join.provides))
        return FieldMove(name, node, Node(target, node.graph, below), lists)

    def _join(self, node: Node, name: str) -> FieldJoin | None:
        join = self.supergraph.types[node.type].fields.get(name, {}).get(node.graph)
        if join is None or (join.label_active and join.label_active not in self._labels):
            return None
        return None if join.label_inactive and join.label_inactive in self._labels else join

    def _owned(self, node: Node, name: str) -> FieldJoin | None:
        """A field that Federation 1 lets a subgraph provide without telling that the subgraph knows it."""
        joins = self.supergraph.types[node.type].fields.get(name, {})
        if node.graph in joins:
            return None
        return next((FieldJoin(each.type) for each in joins.values()), None)

    def _provided(self, node: Node, name: str) -> Provided | None:
        kinds = {node.type, *self.supergraph.interfaces_of(node.type)}
        found = [below for type_, field_, below in node.provided if field_ == name and type_ in kinds]
        return frozenset().union(*found) if found else None

    def _is_uniform(self, node: Node, name: str) -> bool:
        """Whether a field may be asked of an interface at once, because every type behind it resolves it."""
        if not self.supergraph.is_abstract(node.type) or self.is_interface_object(node):
            return True
        below = (self.narrowed(node, type_) for type_ in self.runtime_types(node))
        return all(self.field_move(each, name) is not None for each in below)

    def _find_entrances(self, type_name: str) -> Iterator[Entrance]:
        if type_name == self.supergraph.root_type("query"):
            yield from (Entrance(node, None) for node in self.roots("query"))
            return
        for graph, join in self.supergraph.types[type_name].joins.items():
            yield from self._keyed(Node(type_name, graph), join.keys)
        for interface in sorted(self.supergraph.interfaces_of(type_name)):
            for graph, join in self.supergraph.types[interface].joins.items():
                if join.is_interface_object:
                    yield from self._keyed(Node(interface, graph), join.keys)

    def _keyed(self, node: Node, keys: tuple[EntityKey, ...]) -> Iterator[Entrance]:
        for key in keys:
            if key.is_resolvable:
                yield Entrance(node, self.field_set(node.type, key.fields))

    def _lines(self) -> Iterator[str]:
        for type_ in self.supergraph.types.values():
            for graph in type_.joins:
                for name in type_.fields:
                    if move := self.field_move(Node(type_.name, graph), name):
                        yield str(move)
            for entrance in self.entrances(type_.name) if type_.fields else ():
                key = inline(entrance.key) if entrance.key else ""
                yield f"{type_.name} =={{{key}}}==> {entrance.target}"


def _is_given(join: FieldJoin) -> bool:
    """Whether the subgraph computes the field from what it is given, even where it is provided."""
    return not join.is_external and bool(join.requires or join.context_arguments)


def named_and_lists(type_: TypeNode) -> tuple[str, int]:
    """The name inside a type, and how many lists are around it."""
    match type_:
        case NonNullTypeNode(type=inner):
            return named_and_lists(inner)
        case ListTypeNode(type=inner):
            name, lists = named_and_lists(inner)
            return name, lists + 1
    assert isinstance(type_, NamedTypeNode)
    return type_.name.value, 0


def provided_by(selections: SelectionSet) -> Provided:
    """What a `@provides` makes available at the node it leads to."""
    by_type: Mapping[str, tuple[FieldSelection, ...]] = {
        selections.type_name: selections.fields,
        **selections.narrowed,
    }
    return frozenset(
        (type_name, each.name, provided_by(each.selections) if each.selections else NOTHING)
        for type_name, fields in by_type.items()
        for each in fields
    )
