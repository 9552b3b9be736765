"""Building a domain's federated schema, whose operations are kept within limits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import strawberry
from graphql import (
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    parse,
)
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionContext

from subgraphs.common.arguments import check_arguments
from subgraphs.common.budget import Budget, BudgetedExecutor
from subgraphs.common.context import Context
from subgraphs.common.errors import OperationTooLarge
from subgraphs.common.limits import MOST_TOKENS, check_document, check_length

FEDERATION_VERSION: Final = "2.9"


_NOTHING: Final = parse("{ __typename }")


class Bounds(SchemaExtension):
    """What is looked at before an operation runs, and what it may take while it does."""

    def on_parse(self) -> Iterator[None]:
        """Parse no text that is too long, and no more tokens than there may be."""
        execution = self.execution_context
        execution.parse_options = {"max_tokens": MOST_TOKENS}
        with self._refusing():
            check_length(execution.query)
        if execution.pre_execution_errors:
            execution.graphql_document = _NOTHING
        yield

    def on_validate(self) -> Iterator[None]:
        """Validate no document that is too large; in production nobody reads the schema."""
        execution = self.execution_context
        assert execution.graphql_document is not None
        with self._refusing():
            check_document(execution.graphql_document)
        context: Context[Any] = execution.context
        if context.runtime.settings.environment == "production":
            execution.validation_rules += (NoSchemaIntrospectionCustomRule,)
        yield

    async def on_execute(self) -> AsyncIterator[None]:
        """Execute what has arguments that can be, until its budget is spent."""
        execution = self.execution_context
        assert execution.graphql_document is not None
        assert isinstance(execution.schema, BoundedSchema)
        core, document = execution.schema.core, execution.graphql_document
        check_arguments(core, document, _operation(execution), execution.variables)
        async with Budget(execution.context.deadline).enforced():
            yield

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Make of a refusal what Strawberry makes of a validation that failed."""
        try:
            yield
        except OperationTooLarge as refusal:
            error = GraphQLError(str(refusal), original_error=refusal)
            self.execution_context.pre_execution_errors = [error]


class BoundedSchema(strawberry.federation.Schema):
    """A schema that leaves the logging of errors to who shows them, since it would log whole documents."""

    @property
    def core(self) -> GraphQLSchema:
        """The schema as graphql-core knows it."""
        return self._schema

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Log nothing here."""


def create_schema(
    query: type, mutation: type | None = None, subscription: type | None = None, types: Iterable[type] = ()
) -> BoundedSchema:
    """A subgraph's schema, in the order of its definitions.

    Strawberry's `sort_schema` is no use: it replaces the types that unions are resolved by.
    """
    return BoundedSchema(
        query=query,
        mutation=mutation,
        subscription=subscription,
        types=types,
        extensions=[Bounds],
        execution_context_class=BudgetedExecutor,
        federation_version=FEDERATION_VERSION,
    )


def _operation(execution: ExecutionContext) -> OperationDefinitionNode:
    """The operation of the document that is to be executed; a valid request has one."""
    assert execution.graphql_document is not None
    return next(
        definition
        for definition in execution.graphql_document.definitions
        if isinstance(definition, OperationDefinitionNode)
        and (definition.name.value if definition.name else None) == execution.operation_name
    )
