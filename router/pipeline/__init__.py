"""The stages that every request crosses, in this order, whatever protocol brought it.

1. identify    the token becomes an identity                             policy.auth
2. prepare     find a document that is only named                        policy.documents
               parse, limits, validate, single out, plan (all cached,    pipeline.operations
               and apart from the event loop where they are not)
3. authorise   what the operation's policies say of the caller           policy.decisions
               the identity meets the operation's guards                 policy.access
4. coerce      the variables fit their declared types                    operation
               with them it costs no more than is allowed, at once       policy.cost
               and together with what the caller asked before            policy.budget
5. run         execute, at once or in parts that come later, or          executor
               subscribe and execute per event

The edge stands between 3 and 5 and decides whether the protocol can carry this kind of operation.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeAlias

from graphql import OperationType

from router.config.header_rules import ClientHeaders, HeaderRules
from router.errors import AccessError, BadVariableError, RouterError, UnauthenticatedError, internal_error
from router.executor import (
    ExecutionRequest,
    ExecutionResult,
    Prepared,
    execute,
    execute_event,
    execute_incrementally,
    subscription_request,
)
from router.executor.ahead import completed
from router.operation import coerce_variables, exceeds
from router.pipeline.operation_log import OperationLog
from router.pipeline.operations import Operations
from router.pipeline.preparation import PreparedOperation
from router.pipeline.request import GraphQLRequest
from router.policy.access import refusals
from router.policy.auth import EXPIRED, Identity, TokenVerifier
from router.policy.decisions import NO_POLICIES, PolicyDecisions
from router.policy.documents import Documents
from router.policy.withholding import outermost
from router.telemetry import Metrics, Trace, log
from router.tracing import NO_TRACER, Tracer
from router.transport.base import RequestContext, StreamSource, Transport
from router.transport.fan_out import SharedStreams
from router.transport.http import NO_RULES, SubgraphError

# Each takes a few microseconds to coerce, for which everything waits.
MAX_VALUES_AT_ONCE = 500
# RFC 9110, 5.5; a client of WebSocket sends headers within JSON, where anything may stand.
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")

_Event: TypeAlias = dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the verified identity, and the header it came in, which subgraphs verify again."""

    identity: Identity | None
    authorization: str | None
    headers: ClientHeaders = ()
    address: str = ""

    @property
    def client(self) -> str:
        """Whose share of what is limited the caller takes: the token's subject, or else the address."""
        return f"subject:{self.identity.subject}" if self.identity else self.address

    def expires_in(self) -> float | None:
        """In how many seconds the token expires, if it does."""
        expires_at = self.identity.expires_at if self.identity else math.inf
        return expires_at - time.time() if math.isfinite(expires_at) else None


class CostBudget(Protocol):
    """What callers may spend over several operations."""

    async def spend(self, client: str, cost: int) -> None:
        """Counts what an operation is estimated to cost.

        Raises:
            CostBudgetError: it is more than is left.
        """
        ...


class Pipeline:
    """Takes requests through their stages."""

    def __init__(
        self,
        operations: Operations,
        documents: Documents,
        transport: Transport,
        sources: Mapping[str, StreamSource],
        verifier: TokenVerifier | None,
        decisions: PolicyDecisions,
        metrics: Metrics,
        answered: OperationLog,
        *,
        rules: HeaderRules = NO_RULES,
        timeout: float | None = None,
        report_cost: bool = False,
        budget: CostBudget | None = None,
        withholds: bool = False,
        tracer: Tracer = NO_TRACER,
    ) -> None:
        self._operations = operations
        self._documents = documents
        self._verifier = verifier
        self._decisions = decisions
        self._rules = rules
        self._timeout = timeout
        self._report_cost = report_cost
        self._budget = budget
        self._withholds = withholds
        self.tracer = tracer
        self.transport = transport
        self.streams = SharedStreams(sources)
        self.metrics = metrics
        self.answered = answered

    async def identify(self, authorization: str | None, headers: Mapping[str, str], address: str) -> Caller:
        """Verifies the caller's token; where nothing verifies tokens, it is only passed on.

        Raises:
            UnauthenticatedError: there is no valid token in the header, or what no header can hold.
            IdentityUnavailableError: tokens cannot be verified now.
        """
        with self.tracer.trace_stage("identify"):
            if authorization is not None and not _HEADER_VALUE.fullmatch(authorization):
                raise UnauthenticatedError("The Authorization header has characters that none may have.")
            identity = await self._verifier.identify(authorization) if self._verifier else None
        return Caller(identity, authorization, self._rules.select_client_headers(headers), address)

    async def open(self, request: GraphQLRequest, caller: Caller, trace: Trace) -> Operation:
        """Makes an operation ready to run.

        Raises:
            DocumentError: the document or the variables are refused.
            AccessError: the caller is.
            CostBudgetError: what the caller asks costs too much in this minute.
            OverloadedError: too many operations are to be prepared.
            OperationTimeoutError: it could not be prepared in time.
        """
        try:
            return await self._open(request, caller, trace)
        except Exception as error:
            self.tracer.record_error(error)
            raise

    async def _open(self, request: GraphQLRequest, caller: Caller, trace: Trace) -> Operation:
        deadline = None if self._timeout is None else time.monotonic() + self._timeout
        prepared = await self._prepare(request, caller.client, deadline)
        refused = await self._authorise(prepared, caller.identity, trace)
        if refused:
            prepared = await self._permitted(prepared, refused, caller.client, deadline)
        coerce = partial(self._coerce, prepared, request)
        if exceeds(request.variables, MAX_VALUES_AT_ONCE):
            variables, cost = await self._operations.apart(coerce, caller.client, deadline)
        else:
            variables, cost = coerce()
        if self._budget and cost is not None:
            await self._budget.spend(caller.client, cost)
        # A subscription lives for as long as it is wanted: each of its fetches has a timeout all the same.
        if prepared.kind is OperationType.SUBSCRIPTION:
            deadline = None
        context = RequestContext(
            caller.authorization, trace.traceparent, caller.headers, deadline, trace.tracestate, caller.client
        )
        apart = partial(self._operations.apart, client=caller.client, deadline=deadline)
        run = ExecutionRequest(variables, self.transport, context, apart, self.tracer)
        return Operation(self, prepared, run, caller, trace, cost if self._report_cost else None, refused)

    async def _prepare(
        self, request: GraphQLRequest, client: str, deadline: float | None
    ) -> PreparedOperation:
        with self.tracer.trace_stage("prepare"):
            query = await self._documents.text(request.query, request.document_id)
            prepared = await self._operations.get(query, request.operation_name, client, deadline)
            await self._documents.learn(request.query, request.document_id)
        self.tracer.name_operation(prepared.operation.kind, prepared.operation.name)
        return prepared

    async def deferring(
        self, prepared: PreparedOperation, request: ExecutionRequest, client: str
    ) -> Prepared:
        """The plan of an operation for a client that takes what it defers later."""
        deadline = request.context.deadline
        found = await self._operations.deferring(prepared, request.variables, client, deadline)
        return found.prepared

    async def _authorise(
        self, prepared: PreparedOperation, identity: Identity | None, trace: Trace
    ) -> list[AccessError]:
        with self.tracer.trace_stage("authorise"):
            held = NO_POLICIES
            if prepared.policies:
                held = await self._decisions.held(prepared.policies, identity, trace.traceparent)
            return refusals(prepared.guards, identity, held)

    async def _permitted(
        self,
        prepared: PreparedOperation,
        refused: Sequence[AccessError],
        client: str,
        deadline: float | None,
    ) -> PreparedOperation:
        """What of an operation its caller may have, where a part may be had; of no event is there a part.

        Raises:
            AccessError: the whole is refused.
        """
        paths = outermost(tuple(path) for error in refused for path in error.paths)
        is_event = prepared.kind is OperationType.SUBSCRIPTION and any(len(path) == 1 for path in paths)
        if is_event or not self._withholds:
            raise refused[0]
        return await self._operations.withholding(prepared, paths, client, deadline)

    def _coerce(
        self, prepared: PreparedOperation, request: GraphQLRequest
    ) -> tuple[dict[str, Any], int | None]:
        with self.tracer.trace_stage("coerce"):
            variables = coerce_variables(prepared.operation, request.variables)
            if isinstance(variables, list):
                raise BadVariableError(variables)
            return variables, prepared.estimate(variables)


class Operation:
    """One operation of one caller, ready to run once."""

    def __init__(
        self,
        pipeline: Pipeline,
        operation: PreparedOperation,
        request: ExecutionRequest,
        caller: Caller,
        trace: Trace,
        cost: int | None,
        refused: Sequence[AccessError] = (),
    ) -> None:
        self._pipeline = pipeline
        self._tracer = pipeline.tracer
        self._operation = operation
        self._request = request
        self._caller = caller
        self._trace = trace
        self._cost = cost
        self._refused = refused

    @property
    def kind(self) -> OperationType:
        """Whether it is a query, a mutation or a subscription."""
        return self._operation.kind

    @property
    def defers(self) -> bool:
        """Whether parts of its answer may come later."""
        return self._operation.deferrable is not None

    async def execute(self) -> dict[str, Any]:
        """The response of a query or a mutation."""
        started, outcome = time.perf_counter(), "failed"
        try:
            with self._tracer.trace_stage("execute"):
                result = self._response(await execute(self._operation.prepared, self._request))
            outcome = self._outcome(result)
            return self._with_cost(result)
        finally:
            self._report(outcome, time.perf_counter() - started)

    def _outcome(self, result: dict[str, Any]) -> str:
        if "errors" not in result:
            return "ok"
        self._tracer.record_errors(result["errors"])
        return "error"

    def _with_cost(self, result: dict[str, Any]) -> dict[str, Any]:
        return result if self._cost is None else {**result, "extensions": {"cost": {"estimated": self._cost}}}

    def _report(self, outcome: str, seconds: float) -> None:
        kind, metrics = self.kind.value, self._pipeline.metrics
        metrics.child(metrics.requests, kind, outcome).inc()
        metrics.child(metrics.request_seconds, kind).observe(seconds)
        name = self._operation.operation.name
        self._pipeline.answered.note(self._trace.trace_id, kind, name, outcome, seconds)

    async def results(self) -> AsyncGenerator[dict[str, Any], None]:
        """The response of a query or a mutation, in parts if it defers some, or that of each event.

        What cannot be had, or breaks off, ends with a response that has errors and no data; so does a
        subscription whose token expires. Closing the iterator ends a subscription at its subgraph.
        """
        results = self._events() if self.kind is OperationType.SUBSCRIPTION else self._payloads()
        try:
            async for result in results:
                yield result
        except SubgraphError as error:
            log.warning(
                "A subscription broke",
                extra={"metadata": {"subgraph": error.subgraph, "reason": error.reason}},
            )
            yield {"errors": [error.formatted()]}
        except RouterError as error:
            yield error.response()
        except Exception:  # noqa: BLE001 - the last resort: logged whole, internal_error for the client
            log.exception("An operation failed")
            yield {"errors": [internal_error(self._trace.trace_id)]}
        finally:
            await results.aclose()

    async def _payloads(self) -> AsyncGenerator[dict[str, Any], None]:
        if not self.defers:
            yield await self.execute()
            return
        started, outcome = time.perf_counter(), "failed"
        try:
            prepared = await self._pipeline.deferring(self._operation, self._request, self._caller.client)
            async with aclosing(execute_incrementally(prepared, self._request)) as payloads:
                outcome = "ok"
                async for payload in payloads:
                    if has_errors(payload):
                        outcome = "error"
                    yield self._with_cost(payload) if "data" in payload else payload
        finally:
            self._report(outcome, time.perf_counter() - started)

    async def _events(self) -> AsyncGenerator[dict[str, Any], None]:
        # A span is seen when it has ended, and a subscription may live for days.
        self._tracer.end()
        stream = subscription_request(self._operation.prepared, self._request.variables)
        source = self._pipeline.streams.events(stream, self._request.context)
        metrics = self._pipeline.metrics
        try:
            with metrics.subscriptions.track_inprogress():
                async with aclosing(completed(source, self._complete)) as results:
                    while (result := await self._while_authenticated(anext(results, None))) is not None:
                        metrics.events.inc()
                        yield result
        finally:
            await source.aclose()

    async def _while_authenticated(self, event: Awaitable[_Event]) -> _Event:
        """An event that comes before the token expires.

        Whoever learns that a session has ended before its tokens do (a sign-out) ends its subscriptions here
        too.

        Raises:
            UnauthenticatedError: the token expires first.
        """
        try:
            async with asyncio.timeout(self._caller.expires_in()) as deadline:
                return await event
        except TimeoutError:
            if not deadline.expired():
                raise
            raise UnauthenticatedError(EXPIRED) from None

    async def _complete(self, event: Mapping[str, Any]) -> dict[str, Any]:
        operation = self._operation.operation
        with self._tracer.trace_event(operation.kind, operation.name):
            result = self._response(await execute_event(self._operation.prepared, event, self._request))
            self._outcome(result)
            return result

    def _response(self, result: ExecutionResult) -> dict[str, Any]:
        withheld = self._operation.withheld
        if withheld is None:
            return response(result.data, result.errors)
        told = [
            each
            for error in self._refused
            for each in error.formatted()
            if tuple(each["path"]) in self._operation.key.withheld
        ]
        return response(withheld.nulled(result.data), [*told, *result.errors])


def has_errors(payload: Mapping[str, Any]) -> bool:
    """Whether a part of an answer tells of an error."""
    parts = (payload, *payload.get("incremental", ()), *payload.get("completed", ()))
    return any("errors" in part for part in parts)


def response(data: dict[str, Any] | None, errors: list[dict[str, Any]]) -> dict[str, Any]:
    """A GraphQL response."""
    return {"data": data, "errors": errors} if errors else {"data": data}
