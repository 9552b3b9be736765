"""The query graph: its nodes are types in subgraphs, its edges are fields, its entry points are keys.

Of a supergraph where `a` has `Query.me` and the key of `User`, and `b` has `User.email`, the graph is

    Query/A --me--> User/A
    Query =={}==> Query/A
    User/A --id--> leaf
    User/B --id--> leaf
    User/B --email--> leaf
    User =={id}==> User/A
    User =={id}==> User/B

An entry point says that its node can be entered by a key; the route finder determines from which nodes that
key can be obtained. What `@provides` makes available is part of a node, because it depends on the path there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graphql import ListTypeNode, NamedTypeNode, NonNullTypeNode, TypeNode, is_leaf_type

from router.operation.normalize import normalize_field_set
from router.operation.selections import TYPENAME, FieldSelection, SelectionSet
from router.planner.contexts import Contexts
from router.planner.moves import NO_CONTEXTS, NOTHING, FieldEdge, Node, Provided, print_inline
from router.supergraph import Supergraph
from router.supergraph.join_spec import ContextArgument, EntityKey, FieldJoin

NO_TYPES: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """A resolvable key of a node; a query root is entered without one."""

    target: Node
    key: SelectionSet | None


class QueryGraph:
    """The query graph of a supergraph, with the progressive overrides of some labels active."""

    def __init__(self, supergraph: Supergraph, labels: frozenset[str] = frozenset()) -> None:
        self.supergraph = supergraph
        self.contexts = Contexts(supergraph)
        self._labels = labels
        self._edges: dict[tuple[Node, str], FieldEdge | None] = {}
        self._field_sets: dict[tuple[str, str], SelectionSet] = {}
        self._entry_points: dict[str, tuple[EntryPoint, ...]] = {}

    def __str__(self) -> str:
        return "\n".join(self._print_lines())

    def get_roots(self, operation_type: str) -> list[Node]:
        """The root type of an operation in every subgraph that has it."""
        name = self.supergraph.get_root_type_name(operation_type)
        return [] if name is None else [Node(name, graph) for graph in self.supergraph.types[name].joins]

    def get_field_edge(self, node: Node, name: str) -> FieldEdge | None:
        """The edge of a field that the subgraph resolves without a representation or contexts."""
        cache_key = (node, name)
        if cache_key not in self._edges:
            self._edges[cache_key] = self._find_field_edge(node, name)
        return self._edges[cache_key]

    def get_requirement(self, node: Node, name: str) -> SelectionSet | None:
        """The `@requires` of a field that the subgraph resolves; None if it has none."""
        join = self._find_join(node, name)
        if join is None or not join.requires or join.is_external:
            return None
        return self.get_field_set(node.type, join.requires)

    def get_context_arguments(self, node: Node, name: str) -> tuple[ContextArgument, ...]:
        """The contextual arguments of a field that the subgraph resolves."""
        join = self._find_join(node, name)
        return () if join is None or join.is_external else join.context_arguments

    def get_contexts_set_by(self, node: Node) -> frozenset[str]:
        """The contexts that an object of the node sets, whichever type it has."""
        if not self.contexts.fields:
            return NO_CONTEXTS
        return self.contexts.get_contexts_set_by(
            self.get_runtime_types(node) or self.supergraph.get_possible_types(node.type)
        )

    def build_required_edge(self, node: Node, name: str) -> FieldEdge:
        """The edge of a field with requirements or contextual arguments, once these are met."""
        join = self._find_join(node, name)
        assert join is not None
        return self._build_edge(node, name, join, NOTHING)

    def get_entry_points(self, type_name: str) -> tuple[EntryPoint, ...]:
        """The entry points for objects of a type, as this type or as an interface object of it."""
        if type_name not in self._entry_points:
            self._entry_points[type_name] = tuple(self._find_entry_points(type_name))
        return self._entry_points[type_name]

    def get_runtime_types(self, node: Node) -> frozenset[str]:
        """The object types that values of the node can have.

        The node must not be an interface object, whose subgraph does not know the implementing types.
        """
        types = self.supergraph.types
        join = types[node.type].joins[node.graph]
        if not self.supergraph.is_abstract(node.type):
            return frozenset({node.type})
        if join.members:
            return join.members
        return frozenset(
            name
            for name in self.supergraph.get_possible_types(node.type)
            if (there := types[name].joins.get(node.graph)) and node.type in there.interfaces
        )

    def is_interface_object(self, node: Node) -> bool:
        """Whether the node's type is an interface that the subgraph declares with `@interfaceObject`."""
        return self.supergraph.types[node.type].joins[node.graph].is_interface_object

    def is_provided_by_type(self, node: Node, name: str) -> bool:
        """Whether `@provides` on the way to an abstract type makes a field available on object types only."""
        possible = self.supergraph.get_possible_types(node.type) - {node.type} if node.provided else NO_TYPES
        return any(type_ in possible and field_ == name for type_, field_, _ in node.provided)

    def is_resolved_by_type(self, node: Node, name: str) -> bool:
        """Whether all object types of an abstract node resolve a field, but not the abstract type itself."""
        if self.is_interface_object(node) or self.get_field_edge(node, name) is not None:
            return False
        types = self.get_runtime_types(node)
        return bool(types) and all(self.get_field_edge(self.narrow(node, each), name) for each in types)

    def get_own_typenames(self, node: Node) -> frozenset[str]:
        """The object types of an abstract node that `_entities` accepts there by their own names."""
        if not self.supergraph.is_abstract(node.type) or self.is_interface_object(node):
            return NO_TYPES
        types = self.supergraph.types
        return frozenset(
            name
            for name in self.get_runtime_types(node)
            if any(key.is_resolvable for key in types[name].joins[node.graph].keys)
        )

    def narrow(self, node: Node, type_name: str) -> Node:
        """The node of an object type of an abstract node, with what is provided of it."""
        kinds = {type_name, *self.supergraph.get_interfaces(type_name)}
        return Node(type_name, node.graph, frozenset(each for each in node.provided if each[0] in kinds))

    def get_field_set(self, type_name: str, text: str) -> SelectionSet:
        """A field set in normal form."""
        cache_key = (type_name, text)
        if cache_key not in self._field_sets:
            self._field_sets[cache_key] = normalize_field_set(self.supergraph.schema, type_name, text)
        return self._field_sets[cache_key]

    def _find_field_edge(self, node: Node, name: str) -> FieldEdge | None:
        if name == TYPENAME:
            return None if self.is_interface_object(node) else FieldEdge(name, node, None)
        join = self._find_join(node, name)
        below = self._find_provided_below(node, name)
        if join is None and below is not None:
            join = self._find_unlisted_field(node, name)
        if join is None or (join.is_external and below is None) or _has_inputs(join):
            return None
        if below is None and not self._is_uniform(node, name):
            return None
        return self._build_edge(node, name, join, below or NOTHING)

    def _build_edge(self, node: Node, name: str, join: FieldJoin, below: Provided) -> FieldEdge:
        target, lists = unwrap_type(join.type)
        if is_leaf_type(self.supergraph.get_type(target)):
            return FieldEdge(name, node, None, lists)
        if join.provides:
            below |= read_provided(self.get_field_set(target, join.provides))
        return FieldEdge(name, node, Node(target, node.graph, below), lists)

    def _find_join(self, node: Node, name: str) -> FieldJoin | None:
        join = self.supergraph.types[node.type].fields.get(name, {}).get(node.graph)
        if join is None or (join.label_active and join.label_active not in self._labels):
            return None
        return None if join.label_inactive and join.label_inactive in self._labels else join

    def _find_unlisted_field(self, node: Node, name: str) -> FieldJoin | None:
        """A provided field that the supergraph does not list for the subgraph, as Federation 1 allows."""
        joins = self.supergraph.types[node.type].fields.get(name, {})
        if node.graph in joins:
            return None
        return next((FieldJoin(each.type) for each in joins.values()), None)

    def _find_provided_below(self, node: Node, name: str) -> Provided | None:
        kinds = {node.type, *self.supergraph.get_interfaces(node.type)}
        found = [below for type_, field_, below in node.provided if field_ == name and type_ in kinds]
        return frozenset().union(*found) if found else None

    def _is_uniform(self, node: Node, name: str) -> bool:
        """Whether a field may be selected on the type itself, as every object type behind it resolves it."""
        if not self.supergraph.is_abstract(node.type) or self.is_interface_object(node):
            return True
        below = (self.narrow(node, type_) for type_ in self.get_runtime_types(node))
        return all(self.get_field_edge(each, name) is not None for each in below)

    def _find_entry_points(self, type_name: str) -> Iterator[EntryPoint]:
        if type_name == self.supergraph.get_root_type_name("query"):
            yield from (EntryPoint(node, None) for node in self.get_roots("query"))
            return
        for graph, join in self.supergraph.types[type_name].joins.items():
            yield from self._iterate_entry_points(Node(type_name, graph), join.keys)
        for interface in sorted(self.supergraph.get_interfaces(type_name)):
            for graph, join in self.supergraph.types[interface].joins.items():
                if join.is_interface_object:
                    yield from self._iterate_entry_points(Node(interface, graph), join.keys)

    def _iterate_entry_points(self, node: Node, keys: tuple[EntityKey, ...]) -> Iterator[EntryPoint]:
        for key in keys:
            if key.is_resolvable:
                yield EntryPoint(node, self.get_field_set(node.type, key.fields))

    def _print_lines(self) -> Iterator[str]:
        for type_ in self.supergraph.types.values():
            for graph in type_.joins:
                for name in type_.fields:
                    if edge := self.get_field_edge(Node(type_.name, graph), name):
                        yield str(edge)
            for entry_point in self.get_entry_points(type_.name) if type_.fields else ():
                key = print_inline(entry_point.key) if entry_point.key else ""
                yield f"{type_.name} =={{{key}}}==> {entry_point.target}"


def _has_inputs(join: FieldJoin) -> bool:
    """Whether the subgraph computes the field from a representation or contexts, even if it is provided."""
    return not join.is_external and bool(join.requires or join.context_arguments)


def unwrap_type(type_: TypeNode) -> tuple[str, int]:
    """The named type inside a type, and how many lists are around it."""
    match type_:
        case NonNullTypeNode(type=inner):
            return unwrap_type(inner)
        case ListTypeNode(type=inner):
            name, lists = unwrap_type(inner)
            return name, lists + 1
    assert isinstance(type_, NamedTypeNode)
    return type_.name.value, 0


def read_provided(selections: SelectionSet) -> Provided:
    """The fields that a `@provides` makes available at the node that its field leads to."""
    by_type: Mapping[str, tuple[FieldSelection, ...]] = {
        selections.type_name: selections.fields,
        **selections.narrowed,
    }
    return frozenset(
        (type_name, each.name, read_provided(each.selections) if each.selections else NOTHING)
        for type_name, fields in by_type.items()
        for each in fields
    )
