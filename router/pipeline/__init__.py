"""The pipeline: the stages from a request to its response, for every protocol of the server.

1. identify    verify the token                                          policy.auth
2. prepare     look up a document that was sent by id                    policy.documents
               parse, check limits, validate, select, plan; cached,      pipeline.operation_cache
               and in a thread of its own if not
3. authorise   evaluate the operation's policies for the caller          policy.decisions
               check the caller against the operation's guards           policy.access
4. coerce      coerce the variables to their declared types              operation
               estimate the cost with them                               policy.cost
               and charge it to the client's budget                      policy.budget
5. run         execute, at once or incrementally, or                     pipeline.ready_operation
               subscribe and execute for each event

Between 4 and 5 the server decides whether the protocol can carry this kind of operation.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from graphql import OperationType

from router.config.header_rules import HeaderRules
from router.errors import AccessError, BadVariableError, UnauthenticatedError
from router.executor import ExecutionRequest
from router.operation import coerce_variables, exceeds
from router.pipeline.caller import Caller
from router.pipeline.fan_out import FanOut
from router.pipeline.operation_cache import OperationCache
from router.pipeline.operation_log import OperationLog
from router.pipeline.preparation import PreparedOperation
from router.pipeline.ready_operation import ReadyOperation, Runtime
from router.pipeline.request import GraphQLRequest
from router.policy.access import find_refusals
from router.policy.auth import Identity, TokenVerifier
from router.policy.budget import CostBudget
from router.policy.decisions import NO_POLICIES, PolicyDecisions
from router.policy.documents import Documents
from router.policy.filtering import find_outermost_paths
from router.policy.subscriptions import SubscriptionLimits
from router.telemetry import Metrics, Trace
from router.tracing import NO_TRACER, Tracer
from router.transport.base import RequestContext, StreamSource, Transport

# Coercing a value takes a few microseconds of the event loop.
MAX_VALUES_INLINE = 500
NO_PAYLOAD: Mapping[str, Any] = {}
# RFC 9110 section 5.5. A WebSocket client sends the header in JSON, which allows any character.
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


class Pipeline:
    """Takes requests through the stages up to an operation that is ready to run."""

    def __init__(
        self,
        operations: OperationCache,
        documents: Documents,
        transport: Transport,
        sources: Mapping[str, StreamSource],
        verifier: TokenVerifier | None,
        decisions: PolicyDecisions,
        metrics: Metrics,
        operation_log: OperationLog,
        subscriptions: SubscriptionLimits,
        *,
        rules: HeaderRules | None = None,
        timeout: float | None = None,
        report_cost: bool = False,
        budget: CostBudget | None = None,
        null_unauthorized: bool = False,
        tracer: Tracer = NO_TRACER,
    ) -> None:
        self._operations = operations
        self._documents = documents
        self._transport = transport
        self._verifier = verifier
        self._decisions = decisions
        self._rules = rules or HeaderRules()
        self._timeout = timeout
        self._report_cost = report_cost
        self._budget = budget
        self._null_unauthorized = null_unauthorized
        self._runtime = Runtime(operations, sources, FanOut(), subscriptions, metrics, operation_log, tracer)
        self.tracer = tracer

    async def identify(
        self,
        authorization: str | None,
        headers: Mapping[str, str],
        address: str,
        initial_payload: Mapping[str, Any] = NO_PAYLOAD,
    ) -> Caller:
        """Verifies the caller's token; without a verifier it is only forwarded to subgraphs.

        Raises:
            UnauthenticatedError: the header is malformed, or its token is invalid.
            IdentityUnavailableError: tokens cannot be verified now.
        """
        with self.tracer.trace_stage("identify"):
            if authorization is not None and not _HEADER_VALUE.fullmatch(authorization):
                raise UnauthenticatedError("The Authorization header contains invalid characters.")
            identity = await self._verifier.identify(authorization) if self._verifier else None
        sent = self._rules.select_client_headers(headers)
        if initial_payload:
            sent += self._rules.select_from_payload(initial_payload, sent)
        return Caller(identity, authorization, sent, address)

    async def open(self, request: GraphQLRequest, caller: Caller, trace: Trace) -> ReadyOperation:
        """Makes an operation ready to run.

        Raises:
            DocumentError: the document or the variables are refused.
            AccessError: the caller is not authorised.
            CostBudgetError: the client's cost budget is exhausted.
            OverloadedError: too many operations are waiting to be prepared.
            OperationTimeoutError: the operation timed out.
        """
        try:
            return await self._open(request, caller, trace)
        except Exception as error:
            self.tracer.record_error(error)
            raise

    async def _open(self, request: GraphQLRequest, caller: Caller, trace: Trace) -> ReadyOperation:
        deadline = None if self._timeout is None else time.monotonic() + self._timeout
        prepared = await self._prepare(request, caller.client, deadline)
        refused = await self._authorise(prepared, caller.identity, trace)
        if refused:
            prepared = await self._filter(prepared, refused, caller.client, deadline)
        coerce = partial(self._coerce, prepared, request)
        if exceeds(request.variables, MAX_VALUES_INLINE):
            variables, cost = await self._operations.offload(coerce, caller.client, deadline)
        else:
            variables, cost = coerce()
        if self._budget and cost is not None:
            await self._budget.spend(caller.client, cost)
        # A subscription has no deadline; each of its fetches still has a timeout.
        if prepared.kind is OperationType.SUBSCRIPTION:
            deadline = None
        context = RequestContext(
            caller.authorization, trace.traceparent, caller.headers, deadline, trace.tracestate, caller.client
        )
        offload = partial(self._operations.offload, client=caller.client, deadline=deadline)
        execution = ExecutionRequest(variables, self._transport, context, offload, self.tracer)
        reported_cost = cost if self._report_cost else None
        return ReadyOperation(self._runtime, prepared, execution, caller, trace, reported_cost, refused)

    async def _prepare(
        self, request: GraphQLRequest, client: str, deadline: float | None
    ) -> PreparedOperation:
        with self.tracer.trace_stage("prepare"):
            query = await self._documents.resolve(request.query, request.document_id)
            prepared = await self._operations.get(query, request.operation_name, client, deadline)
            await self._documents.persist(request.query, request.document_id)
        self.tracer.name_operation(prepared.operation.kind, prepared.operation.name)
        return prepared

    async def _authorise(
        self, prepared: PreparedOperation, identity: Identity | None, trace: Trace
    ) -> list[AccessError]:
        with self.tracer.trace_stage("authorise"):
            granted = NO_POLICIES
            if prepared.policies:
                granted = await self._decisions.evaluate(prepared.policies, identity, trace.traceparent)
            return find_refusals(prepared.guards, identity, granted)

    async def _filter(
        self,
        prepared: PreparedOperation,
        refused: Sequence[AccessError],
        client: str,
        deadline: float | None,
    ) -> PreparedOperation:
        """The operation without the refused fields; a subscription's root field cannot be left out.

        Raises:
            AccessError: the whole operation is refused.
        """
        paths = find_outermost_paths(tuple(path) for error in refused for path in error.paths)
        is_event = prepared.kind is OperationType.SUBSCRIPTION and any(len(path) == 1 for path in paths)
        if is_event or not self._null_unauthorized:
            raise refused[0]
        return await self._operations.get_filtered(prepared, paths, client, deadline)

    def _coerce(
        self, prepared: PreparedOperation, request: GraphQLRequest
    ) -> tuple[dict[str, Any], int | None]:
        with self.tracer.trace_stage("coerce"):
            variables = coerce_variables(prepared.operation, request.variables)
            if isinstance(variables, list):
                raise BadVariableError(variables)
            return variables, prepared.estimate_cost(variables)
