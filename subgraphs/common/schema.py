"""The federated schema of a domain, which enforces limits on operations."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from functools import cached_property, partial
from typing import Any, Final

import strawberry
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    NameNode,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
)
from strawberry.extensions import SchemaExtension
from strawberry.federation.schema import FederationAny
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.types import ExecutionContext, ExecutionResult, Info
from strawberry.types.graphql import OperationType as Operations

from subgraphs.common.arguments import check_arguments, check_representations
from subgraphs.common.budget import Budget, BudgetedExecutor, get_budget
from subgraphs.common.context import Context
from subgraphs.common.documents import Documents
from subgraphs.common.gate import RefusedRequest

FEDERATION_VERSION: Final = "2.9"
MANY_VALUES: Final = 500
_ONE_SDL: Final = "An operation can ask for the schema of this service once."


class Bounds(SchemaExtension):
    """Checks an operation before it runs, and enforces its budget while it does."""

    async def on_parse(self) -> AsyncIterator[None]:
        """Prepare the document, or take it from the cache; introspection is forbidden in production."""
        execution = self.execution_context
        assert isinstance(execution.schema, BoundedSchema)
        assert execution.query is not None, "Strawberry refuses requests without one"
        context: Context[Any] = execution.context
        if context.runtime.settings.environment == "production":
            execution.validation_rules += (NoSchemaIntrospectionCustomRule,)
        prepared = await execution.schema.documents.prepare(execution.query, execution.validation_rules)
        execution.graphql_document = prepared.document or _build_empty_document(execution.operation_name)
        # A value other than None keeps Strawberry from validating again.
        execution.pre_execution_errors = prepared.errors
        yield

    async def on_execute(self) -> AsyncIterator[None]:
        """Check the arguments, then execute within the budget."""
        execution = self.execution_context
        assert execution.graphql_document is not None
        assert isinstance(execution.schema, BoundedSchema)
        core, document = execution.schema.core, execution.graphql_document
        check = partial(check_arguments, core, document, _find_operation(execution), execution.variables)
        await asyncio.to_thread(check) if _has_many_values(execution.variables) else check()
        async with Budget(execution.context.deadline).enforce():
            yield


class BoundedSchema(strawberry.federation.Schema):
    """A schema that logs no errors itself, since Strawberry would log whole documents."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        service = self._schema.type_map["_Service"]
        assert isinstance(service, GraphQLObjectType)
        service.fields["sdl"].resolve = self._resolve_sdl

    async def execute(self, query: str | None, *args: Any, **options: Any) -> ExecutionResult:
        """Execute a query or a mutation; RefusedRequest for a subscription, which needs an event stream."""
        allowed = set(options.pop("allowed_operation_types", Operations)) - {Operations.SUBSCRIPTION}
        options["allowed_operation_types"] = allowed
        try:
            return await super().execute(query, *args, **options)
        except InvalidOperationTypeError as error:
            if error.operation_type is Operations.SUBSCRIPTION:
                raise RefusedRequest("A subscription is only available as text/event-stream.", 406) from error
            raise

    async def _resolve_sdl(self, *_: object) -> str:
        """Resolve `_service.sdl`; printing it is slow, so that is done once, in a thread.

        An operation may request it once: with all allowed aliases, the answer would have some 30 MB.
        """
        get_budget().claim_expensive_field(_ONE_SDL)
        return await asyncio.to_thread(lambda: self._sdl)

    @cached_property
    def _sdl(self) -> str:
        return self.as_str()

    @cached_property
    def documents(self) -> Documents:
        """The cache of prepared documents."""
        return Documents(self._schema)

    @property
    def core(self) -> GraphQLSchema:
        """graphql-core's schema."""
        return self._schema

    def entities_resolver(self, info: Info, representations: list[FederationAny]) -> list[FederationAny]:
        """Resolve entities, after their representations have been checked."""
        check_representations(self._entity_names, representations)
        return super().entities_resolver(info, representations)

    @cached_property
    def _entity_names(self) -> frozenset[str]:
        entity = self._schema.type_map["_Entity"]
        assert isinstance(entity, GraphQLUnionType)
        return frozenset(kind.name for kind in entity.types)

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Log nothing: `masking` does."""


def create_schema(
    query: type, mutation: type | None = None, subscription: type | None = None, types: Iterable[type] = ()
) -> BoundedSchema:
    """Create the schema of a subgraph, in the order of its definitions.

    Strawberry's `sort_schema` cannot be used: it replaces the types by which unions are resolved.
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


def _has_many_values(variables: Mapping[str, Any] | None) -> bool:
    """Whether checking the variables would block the event loop for long."""
    return any(isinstance(each, list) and len(each) > MANY_VALUES for each in (variables or {}).values())


def _build_empty_document(operation_name: str | None) -> DocumentNode:
    """Build a document in place of one that cannot be parsed, because Strawberry looks for its operation."""
    name = None if operation_name is None else NameNode(value=operation_name)
    selections = SelectionSetNode(selections=())
    operation = OperationDefinitionNode(operation=OperationType.QUERY, name=name, selection_set=selections)
    return DocumentNode(definitions=(operation,))


def _find_operation(execution: ExecutionContext) -> OperationDefinitionNode:
    """Find the operation to execute, which every valid document has."""
    assert execution.graphql_document is not None
    return next(
        definition
        for definition in execution.graphql_document.definitions
        if isinstance(definition, OperationDefinitionNode)
        and (definition.name.value if definition.name else None) == execution.operation_name
    )
