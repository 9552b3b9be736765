"""Reachability: whether subgraphs can answer an operation at all; some that compose cannot.

An object is in several subgraphs at once, each of which may provide a few fields of others. From these, every
subgraph is entered whose key can be resolved, until there is no further one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from tests.router.oracle.merged_schema import MergedSchema
from tests.router.oracle.subgraphs import FederatedField, FieldSet, FieldSetField, SubgraphSchema

Entered: TypeAlias = Mapping[str, FieldSet]
Searching: TypeAlias = frozenset[tuple[str, str]]


class Reachability:
    """Which fields can be reached from where, with the progressive overrides of some labels active."""

    def __init__(self, merged: MergedSchema, labels: frozenset[str]) -> None:
        self._merged = merged
        self._labels = labels

    def can_answer(self, document: DocumentNode, node: OperationDefinitionNode) -> bool:
        """Whether every field of an operation can be resolved, whatever types its objects have."""
        fragments = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        root = node.operation.value.capitalize()
        entered_from: Entered = {
            name: () for name, graph in self._merged.subgraphs.items() if root in graph.types
        }
        wanted = tuple(_merge_selections([node.selection_set], fragments))
        return self._can_reach(entered_from, root, wanted, frozenset())

    def _can_reach(
        self, entered_from: Entered, type_name: str, wanted: FieldSet, searching: Searching
    ) -> bool:
        kinds = self._list_kinds(type_name)
        return all(
            self._can_reach_field(entered_from, type_name, each, searching)
            for each in wanted
            if each.on is None or each.on in kinds
        )

    def _list_kinds(self, type_name: str) -> frozenset[str]:
        unions = {
            type_.name
            for graph in self._merged.subgraphs.values()
            for type_ in graph.types.values()
            if type_name in type_.members
        }
        return self._merged.list_kinds(type_name) | unions

    def _can_reach_field(
        self, entered_from: Entered, type_name: str, wanted: FieldSetField, searching: Searching
    ) -> bool:
        below = dict(self._find_resolvers(entered_from, type_name, wanted.name, searching))
        if not below or not wanted.selections:
            return bool(below)
        shape = self._merged.find_shape(type_name, wanted.name)
        while shape.item:
            shape = shape.item
        return all(self._can_reach(below, each, wanted.selections, searching) for each in shape.types)

    def _find_resolvers(
        self, entered_from: Entered, type_name: str, name: str, searching: Searching
    ) -> Iterator[tuple[str, FieldSet]]:
        """The subgraphs that resolve a field of an object, with the field sets that they then provide."""
        entered = self._follow_keys(entered_from, type_name, searching)
        for graph, kind, own in self._merged.find_definitions(type_name, name):
            if graph.name not in entered:
                continue
            deeper = [each.selections for each in entered[graph.name] if each.name == name]
            if own.external and not deeper:
                continue
            if not own.external and not self.is_resolved_in(graph, kind, own):
                continue
            if (
                own.external
                or not own.requires
                or self._meets_requirements(entered, type_name, graph, own, searching)
            ):
                yield graph.name, (*own.provides, *(each for below in deeper for each in below))

    def _meets_requirements(
        self,
        entered: Entered,
        type_name: str,
        graph: SubgraphSchema,
        own: FederatedField,
        searching: Searching,
    ) -> bool:
        coordinate = (type_name, own.name)
        if coordinate in searching:
            return False
        return any(self._find_keys(graph, type_name)) and self._can_reach(
            entered, type_name, own.requires, searching | {coordinate}
        )

    def _follow_keys(self, entered_from: Entered, type_name: str, searching: Searching) -> Entered:
        """All subgraphs that have an object, found by following its keys."""
        found = dict(entered_from)
        mark = ("", type_name)
        if mark in searching:
            return found
        while True:
            entered_now = [
                graph.name
                for graph in self._merged.subgraphs.values()
                if graph.name not in found
                and any(
                    self._can_reach(found, type_name, key, searching | {mark})
                    for key in self._find_keys(graph, type_name)
                )
            ]
            if not entered_now:
                return found
            found |= dict.fromkeys(entered_now, ())

    def _find_keys(self, graph: SubgraphSchema, type_name: str) -> Iterable[FieldSet]:
        for kind in self._merged.list_kinds(type_name):
            type_ = graph.types.get(kind)
            if type_ and (kind == type_name or type_.interface_object):
                yield from type_.keys

    def is_resolved_in(self, graph: SubgraphSchema, kind: str, own: FederatedField) -> bool:
        """Whether a subgraph resolves a field of its own, as the active overrides decide."""
        if own.override and own.override[1] is not None and own.override[1] not in self._labels:
            return False
        for other in self._merged.subgraphs.values():
            their = other.types[kind].fields.get(own.name) if kind in other.types else None
            if their and their.override and their.override[0] == graph.name:
                return not (their.override[1] is None or their.override[1] in self._labels)
        return True


def _merge_selections(
    sets: Iterable[SelectionSetNode],
    fragments: Mapping[str, FragmentDefinitionNode],
    on: str | None = None,
) -> Iterator[FieldSetField]:
    for selections in sets:
        for node in selections.selections:
            if isinstance(node, FieldNode):
                below = (
                    tuple(_merge_selections([node.selection_set], fragments)) if node.selection_set else ()
                )
                if not node.name.value.startswith("__"):
                    yield FieldSetField(node.name.value, "{}", below, on)
                continue
            fragment: Any = fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
            condition = fragment.type_condition.name.value if fragment.type_condition else on
            yield from _merge_selections([fragment.selection_set], fragments, condition)
