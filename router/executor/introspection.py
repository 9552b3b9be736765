"""Introspection: `__schema` and `__type` are answered from the public schema, without any subgraph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    execute_sync,
)

from router.operation import Operation
from router.selections import INTROSPECTION


def introspection_document(operation: Operation) -> DocumentNode | None:
    """The part of an operation that asks about the schema; None if no part does."""
    asked = _asked(operation, operation.node.selection_set)
    if asked is None:
        return None
    node = operation.node
    alone = OperationDefinitionNode(
        operation=node.operation, variable_definitions=node.variable_definitions, selection_set=asked
    )
    return DocumentNode(definitions=(alone, *operation.fragments.values()))


def introspect(
    operation: Operation, document: DocumentNode, variables: Mapping[str, Any]
) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """Answers the introspection part of an operation: data and errors."""
    result = execute_sync(operation.schema, document, variable_values=dict(variables))
    return result.data, [dict(error.formatted) for error in result.errors or ()]


def _asked(operation: Operation, selections: SelectionSetNode) -> SelectionSetNode | None:
    kept = [kept for each in selections.selections if (kept := _kept(operation, each))]
    return SelectionSetNode(selections=tuple(kept)) if kept else None


def _kept(operation: Operation, selection: SelectionNode) -> SelectionNode | None:
    match selection:
        case FieldNode():
            return selection if selection.name.value in INTROSPECTION else None
        case FragmentSpreadNode():
            inner = operation.fragments[selection.name.value].selection_set
        case InlineFragmentNode():
            inner = selection.selection_set
        case _:
            return None
    asked = _asked(operation, inner)
    return InlineFragmentNode(directives=selection.directives, selection_set=asked) if asked else None
