"""The executor: runs plans against subgraphs and answers clients; nothing else talks to a subgraph."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from graphql import DocumentNode, GraphQLError

from router.errors import PlanningTooLongError, UnplannableOperationError
from router.executor.answer import Answer
from router.executor.cursor import StreamTemplate, stream_template
from router.executor.incremental import Delivery, Groups
from router.executor.introspection import introspect, introspection_document
from router.executor.locations import Locations, located, locations_of
from router.executor.projection import Project, compile_projection
from router.executor.run import Compiling, FetchNames, Run, Runnable, anchored, compile_node, without_data
from router.operation import Operation
from router.operation.deadline import NEVER, Deadline
from router.operation.deferral import Deferral
from router.planner import Planner, PlanningTimeoutError, UnplannableError
from router.planner.names import ResponseNames
from router.planner.plan import DeferNode, PlanNode, SubscriptionNode
from router.tracing import NO_TRACER, Tracer
from router.transport.base import LargeResponse, RequestContext, Transport
from router.transport.stream_request import StreamRequest

__all__ = [
    "ExecutionRequest",
    "ExecutionResult",
    "Prepared",
    "execute",
    "execute_event",
    "execute_incrementally",
    "prepare",
    "subscription_request",
]


_Introspected: TypeAlias = tuple[dict[str, Any] | None, list[dict[str, Any]]]
Apart: TypeAlias = Callable[[Callable[[], _Introspected]], Awaitable[_Introspected]]


async def at_once(work: Callable[[], _Introspected]) -> _Introspected:
    """Does work where it is asked for."""
    return work()


@dataclass(frozen=True, slots=True)
class ExecutionRequest:
    """What one run of an operation needs beside its plan.

    `apart` does what takes too long for the event loop.
    """

    variables: Mapping[str, Any]
    transport: Transport
    context: RequestContext
    apart: Apart = at_once
    tracer: Tracer = NO_TRACER


@dataclass(frozen=True, slots=True)
class ExecutionResult:
    """The answer to one run of an operation."""

    data: dict[str, Any] | None
    errors: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """An operation and all that can be worked out before it runs; the plan itself is no longer needed then.

    With `is_contextual`, places that are given the same answer do not share its objects.
    """

    operation: Operation
    names: ResponseNames
    is_contextual: bool
    run: Runnable | None
    project: Project
    introspection: DocumentNode | None
    order: tuple[str, ...]
    stream: StreamTemplate | None
    locations: Locations
    deferred: Groups


def prepare(
    planner: Planner, operation: Operation, deferral: Deferral = None, deadline: Deadline = NEVER
) -> Prepared:
    """Plans a valid operation, with what `@defer` leaves for later apart where `deferral` says so.

    Raises:
        UnplannableOperationError: the subgraphs cannot answer it.
        PlanningTooLongError: the deadline was over first.
    """
    planning = planner.start(operation, deferral, deadline)
    try:
        plan = planning.plan
    except UnplannableError as error:
        raise UnplannableOperationError([GraphQLError(str(error))]) from error
    except PlanningTimeoutError as error:
        raise PlanningTooLongError([GraphQLError(str(error))]) from error
    plan.names.discard_uses()
    compiling = Compiling(plan.names, FetchNames(operation.name))
    stream = _stream(planner, plan.node, compiling)
    return Prepared(
        operation.without_selections,
        plan.names,
        plan.is_contextual,
        _runnable(_first(plan.node), compiling),
        compile_projection(operation.schema, planning.normalized, plan.names),
        introspection_document(operation),
        planning.normalized.order,
        stream,
        locations_of(operation),
        {each.group: _runnable(each.node, compiling) for each in plan.node.deferred}
        if isinstance(plan.node, DeferNode)
        else {},
    )


def _first(node: PlanNode | SubscriptionNode | DeferNode | None) -> PlanNode | None:
    """What makes an answer, or the first part of one, once a subscription has its event."""
    match node:
        case SubscriptionNode(rest=rest):
            return rest
        case DeferNode(primary=primary):
            return primary
    return node


def _stream(
    planner: Planner, node: PlanNode | SubscriptionNode | DeferNode | None, compiling: Compiling
) -> StreamTemplate | None:
    if not isinstance(node, SubscriptionNode):
        return None
    name = compiling.fetches.next(node.primary.subgraph)
    return stream_template(planner.supergraph, node.primary, name)


def _runnable(node: PlanNode | None, compiling: Compiling) -> Runnable | None:
    return compile_node(node, compiling) if node else None


async def execute(prepared: Prepared, request: ExecutionRequest) -> ExecutionResult:
    """Runs a query or a mutation."""
    return await _finish(prepared, _run(prepared, request, {}), request)


async def execute_incrementally(
    prepared: Prepared, request: ExecutionRequest
) -> AsyncGenerator[dict[str, Any], None]:
    """The payloads of a query or a mutation whose plan leaves fragments for later."""
    run = _run(prepared, request, {})
    data, answer = await _answer(prepared, run, request)
    if data is None:
        yield {"data": None, "errors": answer.errors}
        return
    async with aclosing(
        Delivery(prepared.deferred, run, prepared.locations).payloads(data, answer)
    ) as payloads:
        async for payload in payloads:
            yield payload


def subscription_request(prepared: Prepared, variables: Mapping[str, Any]) -> StreamRequest:
    """What opens the stream of a subscription's events at its subgraph."""
    assert prepared.stream is not None, "only a subscription has a stream"
    return prepared.stream.filled(variables)


async def execute_event(
    prepared: Prepared, event: Mapping[str, Any], request: ExecutionRequest
) -> ExecutionResult:
    """Completes one event of a subscription, as its subgraph sent it."""
    assert prepared.stream is not None, "only a subscription has events"
    data, errors = event.get("data"), event.get("errors") or []
    run = _run(prepared, request, data if isinstance(data, dict) else {})
    run.large = event.__class__ is LargeResponse
    if not isinstance(data, dict):
        errors = without_data(run, [run.data], prepared.stream.shape, errors)
    run.errors += (anchored(error, (), error.get("path"), prepared.names) for error in errors)
    return await _finish(prepared, run, request)


async def _finish(prepared: Prepared, run: Run, request: ExecutionRequest) -> ExecutionResult:
    projected, answer = await _answer(prepared, run, request)
    return ExecutionResult(projected, answer.errors)


def _run(prepared: Prepared, request: ExecutionRequest, data: dict[str, Any]) -> Run:
    return Run(request.variables, request.transport, request.context, data, [], prepared.is_contextual)


async def _answer(
    prepared: Prepared, run: Run, request: ExecutionRequest
) -> tuple[dict[str, Any] | None, Answer]:
    if prepared.run:
        await prepared.run(run)
    answer = Answer(run.variables, run.errors, run.absences)
    project = partial(prepared.project, run.data, answer)
    with request.tracer.trace_stage("project"):
        projected = await asyncio.to_thread(project) if run.large else project()
    if prepared.introspection and projected is not None:
        known, problems = await request.apart(
            partial(introspect, prepared.operation, prepared.introspection, run.variables)
        )
        whole = {**projected, **(known or {})}
        projected = {name: whole[name] for name in prepared.order if name in whole}
        answer.errors += problems
    located(answer.errors, prepared.locations)
    return projected, answer
