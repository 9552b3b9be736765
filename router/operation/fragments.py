"""Fragments of a valid document: what a spread stands for, and which fields a selection set has."""

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


def resolve_fragment(node: SelectionNode, fragments: Fragments) -> Fragment:
    """The fragment of a selection that is not a field."""
    if isinstance(node, FragmentSpreadNode):
        definition = fragments[node.name.value]
        return Fragment(definition.type_condition, definition.selection_set)
    assert isinstance(node, InlineFragmentNode), "a selection is a field, a spread or an inline fragment"
    return Fragment(node.type_condition, node.selection_set)


def _include_all(_: SelectionNode) -> bool:
    return True


def iterate_fields(
    schema: GraphQLSchema,
    fragments: Fragments,
    selections: SelectionSetNode,
    parent: GraphQLNamedType,
    is_included: Callable[[SelectionNode], bool] = _include_all,
) -> Iterator[tuple[FieldNode, GraphQLNamedType]]:
    """The fields of a selection set in document order, each with the type on which it is selected.

    `{ id ... on Book { title } }` on the type `Node` gives `id` on `Node` and `title` on `Book`. A selection
    that is not included is skipped with all that it contains.
    """
    for node in selections.selections:
        if not is_included(node):
            continue
        if isinstance(node, FieldNode):
            yield node, parent
        else:
            fragment = resolve_fragment(node, fragments)
            inner = fragment.resolve_type(schema, parent)
            yield from iterate_fields(schema, fragments, fragment.selection_set, inner, is_included)
