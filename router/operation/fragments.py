"""Fragments of a document: what a spread stands for, and which fields a selection set has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    NamedTypeNode,
    SelectionNode,
    SelectionSetNode,
)

Fragments: TypeAlias = Mapping[str, FragmentDefinitionNode]


class Fragment(NamedTuple):
    """An inline fragment, or the definition behind a fragment spread."""

    type_condition: NamedTypeNode | None
    selection_set: SelectionSetNode

    def resolve_type(self, schema: GraphQLSchema, parent: GraphQLNamedType) -> GraphQLNamedType:
        """The type on which its fields are selected."""
        return schema.type_map[self.type_condition.name.value] if self.type_condition else parent


def collect_fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """The fragments that a document defines, by name."""
    definitions = document.definitions
    return {each.name.value: each for each in definitions if isinstance(each, FragmentDefinitionNode)}


def find_fragment(node: SelectionNode, fragments: Fragments) -> Fragment | None:
    """The fragment of a selection that is not a field; None for a spread of one that is not defined."""
    if isinstance(node, FragmentSpreadNode):
        definition = fragments.get(node.name.value)
        return Fragment(definition.type_condition, definition.selection_set) if definition else None
    assert isinstance(node, InlineFragmentNode), "a selection is a field, a spread or an inline fragment"
    return Fragment(node.type_condition, node.selection_set)


def resolve_fragment(node: SelectionNode, fragments: Fragments) -> Fragment:
    """The fragment of a selection that is not a field, in a valid document."""
    fragment = find_fragment(node, fragments)
    assert fragment is not None, "a valid document defines the fragments that it spreads"
    return fragment


def _include_all(_: SelectionNode) -> bool:
    return True


def iterate_fields(
    fragments: Fragments,
    selections: SelectionSetNode,
    is_included: Callable[[SelectionNode], bool] = _include_all,
    type_condition: NamedTypeNode | None = None,
) -> Iterator[tuple[FieldNode, NamedTypeNode | None]]:
    """The fields of a selection set in document order, each with the innermost type condition around it.

    `{ id ... on Book { title } }` gives `id` without a type condition, and `title` with `Book`. A selection
    that is not included is skipped with all that it contains.
    """
    for node in selections.selections:
        if not is_included(node):
            continue
        if isinstance(node, FieldNode):
            yield node, type_condition
        else:
            fragment = resolve_fragment(node, fragments)
            inner = fragment.type_condition or type_condition
            yield from iterate_fields(fragments, fragment.selection_set, is_included, inner)


def iterate_typed_fields(
    schema: GraphQLSchema,
    fragments: Fragments,
    selections: SelectionSetNode,
    parent: GraphQLNamedType,
    is_included: Callable[[SelectionNode], bool] = _include_all,
) -> Iterator[tuple[FieldNode, GraphQLNamedType]]:
    """The fields of a selection set on a type, as `iterate_fields` gives them, each with its own parent type.

    `{ id ... on Book { title } }` on the type `Node` gives `id` on `Node` and `title` on `Book`.
    """
    for node, condition in iterate_fields(fragments, selections, is_included):
        yield node, schema.type_map[condition.name.value] if condition else parent
