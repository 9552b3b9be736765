"""Introspection: `__schema` and `__type` are answered from the public schema, without any subgraph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    execute_sync,
)

from router.errors import ValidationFailedError
from router.operation import Operation
from router.operation.fragments import fragment_of
from router.operation.selections import INTROSPECTION
from router.pacing import Pacer

# Of an answer, for each type, field, argument and value of the schema: what tools ask has ten.
FIELDS_PER_ELEMENT = 30


class _TooMuch(BaseException):
    """Raised within the execution, where no handler of errors may take it for one of a field."""


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
    """Answers the introspection part of an operation: data and errors.

    Raises:
        ValidationFailedError: it asks for far more than the schema has.
    """
    limit = FIELDS_PER_ELEMENT * _elements(operation.schema)
    try:
        result = execute_sync(
            operation.schema, document, variable_values=dict(variables), middleware=[_counted(limit)]
        )
    except _TooMuch:
        message = f"The schema is asked for too often; its answer has more than {limit} fields."
        raise ValidationFailedError([GraphQLError(message, extensions={"limit": limit})]) from None
    return result.data, [dict(error.formatted) for error in result.errors or ()]


def _elements(schema: GraphQLSchema) -> int:
    """How many types, fields, arguments and values a schema has."""
    members = [
        member
        for type_ in schema.type_map.values()
        for member in (getattr(type_, "fields", None) or getattr(type_, "values", None) or {}).values()
    ]
    arguments = sum(len(getattr(member, "args", ())) for member in members)
    return len(schema.type_map) + len(members) + arguments


def _counted(limit: int) -> Callable[..., Any]:
    left, pacer = limit, Pacer()

    def resolve(resolver: Callable[..., Any], source: Any, info: Any, **arguments: Any) -> Any:
        nonlocal left
        pacer.pause_if_due()
        left -= 1
        if left < 0:
            raise _TooMuch
        return resolver(source, info, **arguments)

    return resolve


def _asked(operation: Operation, selections: SelectionSetNode) -> SelectionSetNode | None:
    kept = [kept for each in selections.selections if (kept := _kept(operation, each))]
    return SelectionSetNode(selections=tuple(kept)) if kept else None


def _kept(operation: Operation, selection: SelectionNode) -> SelectionNode | None:
    if isinstance(selection, FieldNode):
        return selection if selection.name.value in INTROSPECTION else None
    asked = _asked(operation, fragment_of(selection, operation.fragments).selection_set)
    return InlineFragmentNode(directives=selection.directives, selection_set=asked) if asked else None
