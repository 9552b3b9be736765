"""Introspection: `__schema` and `__type` are resolved from the public schema, without any subgraph."""

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
from router.operation.fragments import resolve_fragment
from router.operation.selections import INTROSPECTION
from router.pacing import Pacer

# The limit of fields in a response, for each type, field, argument and enum value: tools' queries have ten.
FIELDS_PER_ELEMENT = 30


class _LimitExceeded(BaseException):
    """Not an `Exception`, so that graphql-core does not report it as the error of a field."""


def build_introspection_document(operation: Operation) -> DocumentNode | None:
    """The operation with its introspection fields alone; None if it has none."""
    selection_set = _select_introspection(operation, operation.node.selection_set)
    if selection_set is None:
        return None
    node = operation.node
    alone = OperationDefinitionNode(
        operation=node.operation, variable_definitions=node.variable_definitions, selection_set=selection_set
    )
    return DocumentNode(definitions=(alone, *operation.fragments.values()))


def introspect(
    operation: Operation, document: DocumentNode, variables: Mapping[str, Any]
) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """The data and errors of an operation's introspection fields.

    Raises:
        ValidationFailedError: the response would be many times as large as the schema.
    """
    limit = FIELDS_PER_ELEMENT * _count_elements(operation.schema)
    try:
        result = execute_sync(
            operation.schema, document, variable_values=dict(variables), middleware=[_limit_fields(limit)]
        )
    except _LimitExceeded:
        message = f"The introspection result has more than {limit} fields."
        raise ValidationFailedError([GraphQLError(message, extensions={"limit": limit})]) from None
    return result.data, [dict(error.formatted) for error in result.errors or ()]


def _count_elements(schema: GraphQLSchema) -> int:
    """How many types, fields, arguments and enum values a schema has."""
    members = [
        member
        for type_ in schema.type_map.values()
        for member in (getattr(type_, "fields", None) or getattr(type_, "values", None) or {}).values()
    ]
    arguments = sum(len(getattr(member, "args", ())) for member in members)
    return len(schema.type_map) + len(members) + arguments


def _limit_fields(limit: int) -> Callable[..., Any]:
    left, pacer = limit, Pacer()

    def resolve(resolver: Callable[..., Any], source: Any, info: Any, **arguments: Any) -> Any:
        nonlocal left
        pacer.pause_if_due()
        left -= 1
        if left < 0:
            raise _LimitExceeded
        return resolver(source, info, **arguments)

    return resolve


def _select_introspection(operation: Operation, selections: SelectionSetNode) -> SelectionSetNode | None:
    kept = [kept for each in selections.selections if (kept := _keep_introspection(operation, each))]
    return SelectionSetNode(selections=tuple(kept)) if kept else None


def _keep_introspection(operation: Operation, selection: SelectionNode) -> SelectionNode | None:
    if isinstance(selection, FieldNode):
        return selection if selection.name.value in INTROSPECTION else None
    selection_set = _select_introspection(
        operation, resolve_fragment(selection, operation.fragments).selection_set
    )
    return (
        InlineFragmentNode(directives=selection.directives, selection_set=selection_set)
        if selection_set
        else None
    )
