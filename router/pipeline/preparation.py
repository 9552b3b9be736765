"""Preparing an operation: what is done once for a document, for any variables and any caller."""

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
from router.executor import Prepared, prepare
from router.operation import Operation, operation_of
from router.operation.deadline import Deadline
from router.operation.deferral import Deferring, conditions_of
from router.operation.source import DocumentSource, unlink
from router.planner import Planner
from router.policy.access import AccessRules, Guard, guards_of, policies_of
from router.policy.cost import Cost, CostRules
from router.policy.decisions import NO_POLICIES, Policies
from router.policy.limits import problems, rules
from router.policy.overrides import Labels
from router.policy.withholding import NOTHING, Paths, Withheld
from router.supergraph import Supergraph
from router.tracing import NO_TRACER, Tracer

MAX_VALIDATION_ERRORS = 20
PLANNING_SECONDS = 5
# Planning observes its deadline itself, and the limits of documents bound the rest: only what hangs takes
# longer.
PATIENCE_SECONDS = 2 * PLANNING_SECONDS


class Key(NamedTuple):
    """What tells prepared operations apart."""

    query: str
    operation_name: str | None
    labels: Labels
    deferring: Deferring = None
    withheld: Paths = NOTHING


@dataclass(frozen=True, slots=True)
class PreparedOperation:
    """One operation of a document, ready to run for any variables and any caller.

    `deferrable` has the variables that decide which fragments are deferred; None if none ever is. `withheld`
    is what of the operation its callers may not have.
    """

    key: Key
    guards: tuple[Guard, ...]
    policies: Policies
    prepared: Prepared
    deferrable: frozenset[str] | None = None
    cost: Cost | None = None
    max_cost: int = 0
    withheld: Withheld | None = None

    def estimate(self, variables: Mapping[str, Any]) -> int | None:
        """What the operation costs at most with these variables, where that is estimated.

        Raises:
            TooExpensiveError: it is more than is allowed.
            CostUnknownError: it cannot be told.
        """
        if self.cost is None:
            return None
        found = self.cost.estimate(variables)
        if 0 < self.max_cost < found:
            raise TooExpensiveError(found, self.max_cost)
        return found

    @property
    def operation(self) -> Operation:
        """The operation itself."""
        return self.prepared.operation

    @property
    def kind(self) -> OperationType:
        """Whether it is a query, a mutation or a subscription."""
        return self.operation.node.operation


Outcome: TypeAlias = PreparedOperation | DocumentError


class Preparation:
    """Parses, limits, validates, singles out, guards and plans operations on one supergraph.

    It runs in a thread of its own, and nothing that it learns of the supergraph is touched by another.
    """

    def __init__(
        self, supergraph: Supergraph, limits: Limits, *, introspection: bool, tracer: Tracer = NO_TRACER
    ) -> None:
        self._tracer = tracer
        self._supergraph = supergraph
        self.renew()
        self._access = AccessRules.of(supergraph.document)
        estimated = limits.max_cost or limits.report_cost or limits.cost_per_minute
        self._costs = CostRules(supergraph.document, limits.list_size) if estimated else None
        self._limits = limits
        self._hides_names = not introspection
        self._rules = [*specified_rules, *rules(introspection=introspection)]

    def renew(self) -> None:
        """Leaves what has been learnt for planning to a thread that hangs with it."""
        self._planners: dict[Labels, Planner] = {}

    def refuse_length(self, key: Key) -> None:
        """Refuses texts that are too long to be looked at.

        Raises:
            ParseFailedError: the document is.
            OperationNotFoundError: the operation's name is, so that the document cannot have it.
        """
        allowed = self._limits.max_characters
        # Comments are no tokens.
        if (found := len(key.query)) > allowed:
            message = f"The document has {found} characters; at most {allowed} are allowed."
            raise ParseFailedError([GraphQLError(message)])
        if len(key.operation_name or "") > found:
            raise OperationNotFoundError([GraphQLError("The document has no operation of this name.")])

    def attempt(self, key: Key) -> Outcome:
        """The prepared operation, or why it is refused."""
        try:
            return self._prepare(key)
        except DocumentError as error:
            return error.copy()
        except RecursionError:
            return ValidationFailedError([GraphQLError("The document is nested too deeply.")])
        finally:
            _collect()

    def _prepare(self, key: Key) -> PreparedOperation:
        schema = self._supergraph.public_schema
        with self._tracer.trace_stage("parse"):
            document = self._parse(key.query)
        with self._tracer.trace_stage("validate"):
            self._validate(schema, document)
        node = select(document, key.operation_name)
        operation = operation_of(schema, document, node, hides_names=self._hides_names)
        guards = guards_of(self._access, operation)
        if key.withheld:
            return self._partly(key, Withheld(operation, key.withheld))
        cost = Cost(self._costs, operation) if self._costs else None
        plan = self._plan(operation, key)
        policies, deferrable = policies_of(guards), conditions_of(operation)
        return PreparedOperation(key, guards, policies, plan, deferrable, cost, self._limits.max_cost)

    def _partly(self, key: Key, withheld: Withheld) -> PreparedOperation:
        """An operation without what is withheld; what is left needs nothing more, and comes at once."""
        operation = withheld.operation
        cost = Cost(self._costs, operation) if self._costs else None
        plan, limit = self._plan(operation, key), self._limits.max_cost
        return PreparedOperation(key, (), NO_POLICIES, plan, None, cost, limit, withheld)

    def _parse(self, query: str) -> DocumentNode:
        try:
            document = parse(DocumentSource(query), max_lexical_tokens=self._limits.max_tokens)
        except GraphQLSyntaxError as error:
            raise ParseFailedError([error]) from None
        unlink(document)
        return document

    def _validate(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        if errors := problems(document, self._limits):
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

    def _plan(self, operation: Operation, key: Key) -> Prepared:
        with self._tracer.trace_stage("plan"):
            deadline = Deadline(PLANNING_SECONDS)
            return prepare(self._planner(key.labels), operation, key.deferring, deadline)

    def _planner(self, labels: Labels) -> Planner:
        if labels not in self._planners:
            self._planners[labels] = Planner(self._supergraph, labels)
        return self._planners[labels]


def select(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """The operation that a request means.

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
        message = "The document has several operations; operationName must name one."
    else:
        message = "The document has no operation."
    raise OperationNotFoundError([GraphQLError(message)])


def _collect() -> None:
    """Frees what preparing leaves, which is full of cycles: found at once, it is little and young.

    Everything waits for the collector. A search of all that is kept takes long, so it is made only as often
    as the collector's thresholds say.
    """
    due = gc.get_count()[2] > gc.get_threshold()[2]
    gc.collect(2 if due else 1)
