"""The preparation of an operation: what is done once for all variables and callers."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    parse,
    specified_rules,
    validate,
)

from router.config.settings import Limits
from router.errors import (
    DocumentError,
    OperationNotFoundError,
    ParseFailedError,
    TooExpensiveError,
    ValidationFailedError,
)
from router.executor import CompiledOperation, compile_operation
from router.operation import Operation, build_operation
from router.operation.deadline import Deadline
from router.operation.deferral import Deferral, find_defer_variables
from router.operation.source import DocumentSource, unlink
from router.planner import Planner
from router.policy.access import AccessRules, Guard, collect_guards, collect_policies
from router.policy.cost import CostRules, OperationCost
from router.policy.decisions import NO_POLICIES, Policies
from router.policy.filtering import NO_PATHS, FilteredOperation, ResponsePaths
from router.policy.limits import find_limit_errors, select_validation_rules
from router.policy.overrides import Labels
from router.supergraph import Supergraph
from router.tracing import NO_TRACER, Tracer

MAX_VALIDATION_ERRORS = 20
PLANNING_SECONDS = 5
# Planning observes its own deadline, and the document limits bound the rest: only a hang takes longer.
PREPARATION_TIMEOUT_SECONDS = 2 * PLANNING_SECONDS


class OperationKey(NamedTuple):
    """The cache key of a prepared operation.

    `labels` are the active `@override` labels, `deferring` the variables that enable `@defer`, and `refused`
    the response paths of fields that the caller is not authorised to read.
    """

    query: str
    operation_name: str | None
    labels: Labels
    deferring: Deferral = None
    refused: ResponsePaths = NO_PATHS


@dataclass(frozen=True, slots=True)
class PreparedOperation:
    """One operation of a document, ready to run with any variables and for any caller.

    `deferrable` are the variables that decide which fragments are deferred; None if no fragment can be.
    `filtered` is set if fields are left out because the caller is not authorised to read them.
    """

    key: OperationKey
    guards: tuple[Guard, ...]
    policies: Policies
    prepared: CompiledOperation
    deferrable: frozenset[str] | None = None
    cost: OperationCost | None = None
    max_cost: int = 0
    filtered: FilteredOperation | None = None

    def estimate_cost(self, variables: Mapping[str, Any]) -> int | None:
        """The maximum cost of the operation with these variables; None if costs are not estimated.

        Raises:
            TooExpensiveError: it exceeds the limit.
            CostUnknownError: it cannot be estimated.
        """
        if self.cost is None:
            return None
        estimate = self.cost.estimate(variables)
        if 0 < self.max_cost < estimate:
            raise TooExpensiveError(estimate, self.max_cost)
        return estimate

    @property
    def operation(self) -> Operation:
        """The operation with its document and schema."""
        return self.prepared.operation

    @property
    def kind(self) -> OperationType:
        """Whether it is a query, a mutation or a subscription."""
        return self.operation.node.operation


PreparationOutcome: TypeAlias = PreparedOperation | DocumentError


class Preparation:
    """Parses, limits, validates, selects, guards and plans the operations of one supergraph.

    It runs in a thread of its own, and no other thread touches its planners.
    """

    def __init__(
        self, supergraph: Supergraph, limits: Limits, *, introspection: bool, tracer: Tracer = NO_TRACER
    ) -> None:
        self._tracer = tracer
        self._supergraph = supergraph
        self.reset_planners()
        self._access = AccessRules.read(supergraph.document)
        estimated = limits.max_cost or limits.report_cost or limits.cost_per_minute
        self._costs = CostRules(supergraph.document, limits.list_size) if estimated else None
        self._limits = limits
        self._hides_names = not introspection
        self._rules = [*specified_rules, *select_validation_rules(introspection=introspection)]

    def reset_planners(self) -> None:
        """Drops the planners, which a hung thread may still be using."""
        self._planners: dict[Labels, Planner] = {}

    def check_length(self, key: OperationKey) -> None:
        """Checks the length of a document and of the operation's name.

        Raises:
            ParseFailedError: the document is too long.
            OperationNotFoundError: the name is longer than the document.
        """
        limit = self._limits.max_characters
        # The token limit does not count comments.
        if (length := len(key.query)) > limit:
            message = f"The document has {length} characters; the maximum is {limit}."
            raise ParseFailedError([GraphQLError(message)])
        if len(key.operation_name or "") > length:
            raise OperationNotFoundError([GraphQLError("The document has no operation with this name.")])

    def attempt(self, key: OperationKey) -> PreparationOutcome:
        """Prepares an operation; returns the error if it is refused."""
        try:
            return self._prepare(key)
        except DocumentError as error:
            return error.copy()
        except RecursionError:
            return ValidationFailedError([GraphQLError("The document is nested too deeply.")])
        finally:
            _collect_garbage()

    def _prepare(self, key: OperationKey) -> PreparedOperation:
        schema = self._supergraph.public_schema
        with self._tracer.trace_stage("parse"):
            document = self._parse(key.query)
        with self._tracer.trace_stage("validate"):
            self._validate(schema, document)
        node = select_operation(document, key.operation_name)
        operation = build_operation(schema, document, node, hide_suggestions=self._hides_names)
        guards = collect_guards(self._access, operation)
        if key.refused:
            return self._prepare_filtered(key, FilteredOperation(operation, key.refused))
        cost = OperationCost(self._costs, operation) if self._costs else None
        plan = self._plan(operation, key)
        policies, deferrable = collect_policies(guards), find_defer_variables(operation)
        return PreparedOperation(key, guards, policies, plan, deferrable, cost, self._limits.max_cost)

    def _prepare_filtered(self, key: OperationKey, filtered: FilteredOperation) -> PreparedOperation:
        """An operation without the refused fields: it needs no authorisation and defers nothing."""
        operation = filtered.operation
        cost = OperationCost(self._costs, operation) if self._costs else None
        plan, limit = self._plan(operation, key), self._limits.max_cost
        return PreparedOperation(key, (), NO_POLICIES, plan, None, cost, limit, filtered)

    def _parse(self, query: str) -> DocumentNode:
        try:
            document = parse(DocumentSource(query), max_lexical_tokens=self._limits.max_tokens)
        except GraphQLSyntaxError as error:
            raise ParseFailedError([error]) from None
        unlink(document)
        return document

    def _validate(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        if errors := find_limit_errors(document, self._limits):
            raise ValidationFailedError(errors)
        errors = validate(
            schema,
            document,
            self._rules,
            max_errors=MAX_VALIDATION_ERRORS,
            hide_suggestions=self._hides_names,
        )
        if errors:
            raise ValidationFailedError(errors)

    def _plan(self, operation: Operation, key: OperationKey) -> CompiledOperation:
        with self._tracer.trace_stage("plan"):
            deadline = Deadline(PLANNING_SECONDS)
            return compile_operation(self._get_planner(key.labels), operation, key.deferring, deadline)

    def _get_planner(self, labels: Labels) -> Planner:
        if labels not in self._planners:
            self._planners[labels] = Planner(self._supergraph, labels)
        return self._planners[labels]


def select_operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """The operation that a request selects (`GetOperation`, GraphQL section 6.1).

    Raises:
        OperationNotFoundError: none has the name, or there are several and no name was given.
    """
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if name is not None:
        operations = [node for node in operations if node.name and node.name.value == name]
    if len(operations) == 1:
        return operations[0]
    if name is not None:
        message = f"The document has no operation named {name!r}."
    elif operations:
        message = "The document has several operations; operationName must select one."
    else:
        message = "The document has no operation."
    raise OperationNotFoundError([GraphQLError(message)])


def _collect_garbage() -> None:
    """Frees the reference cycles that a preparation leaves, while they are few and young.

    Everything waits for the collector. A full collection takes long, so it is made only as often as the
    collector's thresholds say.
    """
    due = gc.get_count()[2] > gc.get_threshold()[2]
    gc.collect(2 if due else 1)
