"""An operation that is ready to run: its response, its incremental payloads, or its events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from graphql import OperationType

from router.errors import AccessError, RouterError, UnauthenticatedError, build_internal_error
from router.executor import (
    ExecutionRequest,
    ExecutionResult,
    build_stream_request,
    execute,
    execute_events,
    execute_incrementally,
)
from router.executor.event_batches import complete_events
from router.json_text import encode
from router.pipeline.caller import Caller
from router.pipeline.fan_out import FanOut, NumberedResult
from router.pipeline.operation_cache import OperationCache
from router.pipeline.operation_log import OperationLog
from router.pipeline.preparation import PreparedOperation
from router.policy.auth import EXPIRED
from router.policy.subscriptions import SubscriptionLimits
from router.telemetry import Metrics, Trace, log
from router.tracing import Tracer
from router.transport.base import StreamSource
from router.transport.http import SubgraphError
from router.transport.reconnect import resume_events
from router.transport.stream_request import StreamRequest

_Events: TypeAlias = Sequence[dict[str, Any]] | None


@dataclass(frozen=True, slots=True)
class Runtime:
    """The components that all operations of a pipeline share."""

    operations: OperationCache
    sources: Mapping[str, StreamSource]
    fan_out: FanOut
    subscriptions: SubscriptionLimits
    metrics: Metrics
    operation_log: OperationLog
    tracer: Tracer


class ReadyOperation:
    """One operation of one caller, to be run once.

    `cost` is the estimate to report in the response; `refused` are the errors of the fields left out.
    """

    def __init__(
        self,
        runtime: Runtime,
        operation: PreparedOperation,
        request: ExecutionRequest,
        caller: Caller,
        trace: Trace,
        cost: int | None,
        refused: Sequence[AccessError] = (),
    ) -> None:
        self._runtime = runtime
        self._tracer = runtime.tracer
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
    def is_deferrable(self) -> bool:
        """Whether its response may be delivered incrementally."""
        return self._operation.deferrable is not None

    async def execute(self) -> dict[str, Any]:
        """Executes a query or a mutation; returns the complete response."""
        started, outcome = time.perf_counter(), "failed"
        try:
            with self._tracer.trace_stage("execute"):
                result = self._build_response(await execute(self._operation.prepared, self._request))
            outcome = self._record_outcome(result)
            return self._add_cost(result)
        finally:
            self._report(outcome, time.perf_counter() - started)

    async def results(self) -> AsyncGenerator[Sequence[dict[str, Any]], None]:
        """Runs the operation; yields its response or incremental payloads, or the responses of events.

        Those that are ready together come together. A failure, or the expiry of a subscription's token, ends
        them with a response that has errors and no data. Closing the iterator ends a subscription at its
        subgraph, unless equal ones share its run.
        """
        results = (
            self._stream_events() if self.kind is OperationType.SUBSCRIPTION else self._stream_payloads()
        )
        try:
            async for ready in results:
                yield ready
        except SubgraphError as error:
            log.warning(
                "A subscription failed",
                extra={"metadata": {"subgraph": error.subgraph, "reason": error.reason}},
            )
            yield [{"errors": [error.to_error()]}]
        except RouterError as error:
            yield [error.to_response()]
        except Exception:  # noqa: BLE001 - the last resort: logged with its traceback, masked for clients
            log.exception("An operation failed")
            yield [{"errors": [build_internal_error(self._trace.trace_id)]}]
        finally:
            await results.aclose()

    async def _stream_payloads(self) -> AsyncGenerator[Sequence[dict[str, Any]], None]:
        if not self.is_deferrable:
            yield [await self.execute()]
            return
        started, outcome = time.perf_counter(), "failed"
        try:
            incremental = await self._runtime.operations.get_incremental(
                self._operation, self._request.variables, self._caller.client, self._request.context.deadline
            )
            async with aclosing(execute_incrementally(incremental.prepared, self._request)) as payloads:
                outcome = "ok"
                async for payload in payloads:
                    if _has_errors(payload):
                        outcome = "error"
                    yield [self._add_cost(payload) if "data" in payload else payload]
        finally:
            self._report(outcome, time.perf_counter() - started)

    async def _stream_events(self) -> AsyncGenerator[Sequence[dict[str, Any]], None]:
        # A span is exported when it ends, and a subscription may last for days.
        self._tracer.end()
        metrics = self._runtime.metrics
        with (
            self._runtime.subscriptions.admit(self._caller.client),
            metrics.subscriptions.track_inprogress(),
        ):
            async with aclosing(self._follow()) as results:
                while (ready := await self._await_before_expiry(anext(results, None))) is not None:
                    metrics.events.inc(len(ready))
                    yield ready

    def _follow(self) -> AsyncGenerator[list[dict[str, Any]], None]:
        """The responses of events, from a run that equal subscriptions share."""
        variables, context = self._request.variables, self._request.context
        stream = build_stream_request(self._operation.prepared, variables)
        key = self._operation.key, encode(variables), context.caller, context.client
        run = partial(self._run, stream)
        return self._runtime.fan_out.follow(key, run, is_numbered=stream.cursor is not None)

    async def _run(self, stream: StreamRequest, after: int | None) -> AsyncGenerator[NumberedResult, None]:
        """The responses of the events after a number, or of all, with their numbers."""
        source = self._runtime.sources[stream.subgraph]
        complete = partial(self._complete, stream)
        async with (
            aclosing(resume_events(source, stream, self._request.context, after)) as events,
            aclosing(complete_events(events, complete)) as results,
        ):
            async for result in results:
                yield result

    async def _await_before_expiry(self, events: Awaitable[_Events]) -> _Events:
        """Waits for events until the token expires.

        Revoking a session before its tokens expire (sign-out) would have to end its subscriptions here too.

        Raises:
            UnauthenticatedError: the token expired first.
        """
        try:
            async with asyncio.timeout(self._caller.get_remaining_seconds()) as deadline:
                return await events
        except TimeoutError:
            if not deadline.expired():
                raise
            raise UnauthenticatedError(EXPIRED) from None

    async def _complete(
        self, stream: StreamRequest, events: Sequence[Mapping[str, Any]]
    ) -> list[NumberedResult]:
        operation = self._operation.operation
        numbers = [stream.read_position(event) for event in events]
        with self._tracer.trace_event(operation.kind, operation.name):
            results = await execute_events(self._operation.prepared, events, self._request)
            responses = [self._build_response(each) for each in results]
            for each in responses:
                self._record_outcome(each)
            return list(zip(numbers, responses, strict=True))

    def _build_response(self, result: ExecutionResult) -> dict[str, Any]:
        filtered = self._operation.filtered
        if filtered is None:
            return _format_response(result.data, result.errors)
        access_errors = [
            each
            for error in self._refused
            for each in error.to_errors()
            if tuple(each["path"]) in self._operation.key.refused
        ]
        return _format_response(filtered.insert_nulls(result.data), [*access_errors, *result.errors])

    def _record_outcome(self, result: dict[str, Any]) -> str:
        if "errors" not in result:
            return "ok"
        self._tracer.record_errors(result["errors"])
        return "error"

    def _add_cost(self, result: dict[str, Any]) -> dict[str, Any]:
        return result if self._cost is None else {**result, "extensions": {"cost": {"estimated": self._cost}}}

    def _report(self, outcome: str, seconds: float) -> None:
        kind, metrics = self.kind.value, self._runtime.metrics
        metrics.get_child(metrics.requests, kind, outcome).inc()
        metrics.get_child(metrics.request_seconds, kind).observe(seconds)
        name = self._operation.operation.name
        self._runtime.operation_log.record(self._trace.trace_id, kind, name, outcome, seconds)


def _has_errors(payload: Mapping[str, Any]) -> bool:
    """Whether an incremental payload, or an entry of it, has errors."""
    parts = (payload, *payload.get("incremental", ()), *payload.get("completed", ()))
    return any("errors" in part for part in parts)


def _format_response(data: dict[str, Any] | None, errors: list[dict[str, Any]]) -> dict[str, Any]:
    return {"data": data, "errors": errors} if errors else {"data": data}
