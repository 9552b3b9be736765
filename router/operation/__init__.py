"""One operation of a client's document, and the variables it runs with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
)
from graphql.execution import get_variable_values

from router.operation.fragments import Fragments, collect_fragments

MAX_VARIABLE_ERRORS = 50


@dataclass(frozen=True, slots=True)
class Operation:
    """A validated operation with the fragments of its document."""

    schema: GraphQLSchema
    node: OperationDefinitionNode
    fragments: Fragments
    hide_suggestions: bool = False
    """Whether error messages must not suggest names of the schema."""

    @property
    def kind(self) -> str:
        """`query`, `mutation` or `subscription`."""
        return self.node.operation.value

    @property
    def name(self) -> str | None:
        """The operation's own name."""
        return self.node.name.value if self.node.name else None

    @property
    def without_selections(self) -> Operation:
        """The operation without its selections, which are no longer needed once it is planned."""
        node = OperationDefinitionNode(
            operation=self.node.operation,
            name=self.node.name,
            variable_definitions=self.node.variable_definitions,
            selection_set=SelectionSetNode(selections=()),
        )
        return Operation(self.schema, node, {}, self.hide_suggestions)


def build_operation(
    schema: GraphQLSchema,
    document: DocumentNode,
    node: OperationDefinitionNode,
    *,
    hide_suggestions: bool = False,
) -> Operation:
    """One operation of a document that is valid against the schema."""
    return Operation(schema, node, collect_fragments(document), hide_suggestions)


def exceeds(value: Any, limit: int) -> bool:
    """Whether a JSON value consists of more values than a limit."""
    waiting, found = [value], 0
    while waiting:
        each = waiting.pop()
        found += 1
        if isinstance(each, dict | list):
            if found + len(waiting) + len(each) > limit:
                return True
            waiting.extend(each.values() if isinstance(each, dict) else each)
    return False


def coerce_variables(operation: Operation, raw: Mapping[str, Any]) -> dict[str, Any] | list[GraphQLError]:
    """The variables for the subgraphs, or the errors in them.

    The values are checked by coercion, but sent on as they came, with defaults filled in: each subgraph
    coerces its own scalars and enums.
    """
    definitions = operation.node.variable_definitions or ()
    coerced = get_variable_values(
        operation.schema,
        definitions,
        dict(raw),
        max_errors=MAX_VARIABLE_ERRORS,
        hide_suggestions=operation.hide_suggestions,
    )
    if isinstance(coerced, list):
        return coerced
    return {name: raw.get(name, value) for name, value in coerced.coerced.items()}
