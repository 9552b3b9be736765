"""The executor: compiles plans, runs them against subgraphs, and builds the responses for clients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from graphql import DocumentNode, GraphQLError

from router.errors import PlanningTooLongError, UnplannableOperationError
from router.executor.cursor import StreamTemplate, compile_stream
from router.executor.fetches import CompileContext, FetchNames
from router.executor.incremental import DeferredFetches, Delivery
from router.executor.introspection import build_introspection_document, introspect
from router.executor.locations import Locations, add_locations, collect_locations, drop_unselected
from router.executor.nodes import compile_node
from router.executor.projection import Projection, compile_projection
from router.executor.response_builder import ResponseBuilder, project_in_thread_if_large
from router.executor.run import Run, Runnable
from router.executor.subgraph_errors import Errors, anchor_error, split_by_event
from router.operation import Operation
from router.operation.deadline import NEVER, Deadline
from router.operation.deferral import Deferral
from router.planner import Planner, PlanningTimeoutError, UnplannableError
from router.planner.names import ResponseNames
from router.planner.plan import LIST, DeferNode, PlanNode, SubscriptionNode
from router.tracing import NO_TRACER, Tracer
from router.transport.base import RequestContext, Transport
from router.transport.stream_request import StreamRequest

__all__ = [
    "CompiledOperation",
    "ExecutionRequest",
    "ExecutionResult",
    "build_stream_request",
    "compile_operation",
    "execute",
    "execute_events",
    "execute_incrementally",
]


_IntrospectionResult: TypeAlias = tuple[dict[str, Any] | None, list[dict[str, Any]]]
Offload: TypeAlias = Callable[[Callable[[], _IntrospectionResult]], Awaitable[_IntrospectionResult]]


async def run_inline(work: Callable[[], _IntrospectionResult]) -> _IntrospectionResult:
    """Runs the work in the event loop."""
    return work()


@dataclass(frozen=True, slots=True)
class ExecutionRequest:
    """What one run of an operation needs besides its plan.

    `offload` runs what takes too long for the event loop.
    """

    variables: Mapping[str, Any]
    transport: Transport
    context: RequestContext
    offload: Offload = run_inline
    tracer: Tracer = NO_TRACER


@dataclass(frozen=True, slots=True)
class ExecutionResult:
    """The result of one run of an operation (GraphQL, 7.1)."""

    data: dict[str, Any] | None
    errors: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class CompiledOperation:
    """An operation with its plan compiled: all that a run needs; the plan itself is not kept.

    `run` and `project` make the response, or the initial one; `order` has its response names. `stream` and
    `deferred` are for subscriptions and deferred fragments. For `is_contextual` see `Run`.
    """

    operation: Operation
    names: ResponseNames
    is_contextual: bool
    run: Runnable | None
    project: Projection
    introspection: DocumentNode | None
    order: tuple[str, ...]
    stream: StreamTemplate | None
    locations: Locations
    deferred: DeferredFetches


def compile_operation(
    planner: Planner, operation: Operation, deferral: Deferral = None, deadline: Deadline = NEVER
) -> CompiledOperation:
    """Plans and compiles a valid operation; `deferral` decides whether and what `@defer` defers.

    Raises:
        UnplannableOperationError: the subgraphs cannot resolve some field.
        PlanningTooLongError: the deadline passed first.
    """
    planning = planner.start(operation, deferral, deadline)
    try:
        plan = planning.plan
    except UnplannableError as error:
        raise UnplannableOperationError([GraphQLError(str(error))]) from error
    except PlanningTimeoutError as error:
        raise PlanningTooLongError([GraphQLError(str(error))]) from error
    plan.names.discard_uses()
    root = (LIST,) if isinstance(plan.node, SubscriptionNode) else ()
    context = CompileContext(plan.names, FetchNames(operation.name), root)
    stream = _compile_stream(planner, plan.node, context)
    return CompiledOperation(
        operation.without_selections,
        plan.names,
        plan.is_contextual,
        _compile_optional(_select_initial(plan.node), context),
        compile_projection(operation.schema, planning.normalized, plan.names),
        build_introspection_document(operation),
        planning.normalized.order,
        stream,
        collect_locations(operation),
        {each.group: _compile_optional(each.node, context) for each in plan.node.deferred}
        if isinstance(plan.node, DeferNode)
        else {},
    )


def _select_initial(node: PlanNode | SubscriptionNode | DeferNode | None) -> PlanNode | None:
    """The fetches for the response: those after events of a subscription, or the initial ones."""
    match node:
        case SubscriptionNode(rest=rest):
            return rest
        case DeferNode(primary=primary):
            return primary
    return node


def _compile_stream(
    planner: Planner, node: PlanNode | SubscriptionNode | DeferNode | None, context: CompileContext
) -> StreamTemplate | None:
    if not isinstance(node, SubscriptionNode):
        return None
    name = context.fetch_names.assign(node.primary.subgraph)
    return compile_stream(planner.supergraph, node.primary, name)


def _compile_optional(node: PlanNode | None, context: CompileContext) -> Runnable | None:
    return compile_node(node, context) if node else None


async def execute(compiled: CompiledOperation, request: ExecutionRequest) -> ExecutionResult:
    """Runs a query or a mutation."""
    run = _start_run(compiled, request, {})
    await _run_fetches(compiled, run)
    data, response = await _build_response(compiled, run, request, run.data, run.errors)
    return ExecutionResult(data, response.errors)


async def execute_incrementally(
    compiled: CompiledOperation, request: ExecutionRequest
) -> AsyncGenerator[dict[str, Any], None]:
    """The payloads of a query or a mutation with deferred fragments."""
    run = _start_run(compiled, request, {})
    await _run_fetches(compiled, run)
    data, response = await _build_response(compiled, run, request, run.data, run.errors)
    if data is None:
        yield {"data": None, "errors": response.errors}
        return
    async with aclosing(
        Delivery(compiled.deferred, run, compiled.locations).deliver(data, response)
    ) as payloads:
        async for payload in payloads:
            yield payload


def build_stream_request(compiled: CompiledOperation, variables: Mapping[str, Any]) -> StreamRequest:
    """The request for the stream of a subscription's events at its subgraph."""
    assert compiled.stream is not None, "only a subscription has a stream"
    return compiled.stream.fill(variables)


async def execute_events(
    compiled: CompiledOperation, events: Sequence[Mapping[str, Any]], request: ExecutionRequest
) -> list[ExecutionResult]:
    """Completes events of a subscription, which are responses of its subgraph; they share their fetches."""
    run = _start_run(compiled, request, [])
    errors_of_events = [_add_event(compiled, run, event) for event in events]
    await _run_fetches(compiled, run)
    results: list[ExecutionResult] = []
    fetched_errors = split_by_event(run.errors, len(events))
    for data, own, fetched in zip(run.data, errors_of_events, fetched_errors, strict=True):
        if results:
            # Each response may take the event loop as long as a query's.
            await asyncio.sleep(0)
        projected, response = await _build_response(compiled, run, request, data, [*own, *fetched])
        results.append(ExecutionResult(projected, response.errors))
    return results


def _add_event(compiled: CompiledOperation, run: Run, event: Mapping[str, Any]) -> Errors:
    """Adds the data of an event to a run; returns its errors."""
    assert compiled.stream is not None, "only a subscription has events"
    data, errors = event.get("data"), event.get("errors") or []
    root = data if isinstance(data, dict) else {}
    run.data.append(root)
    if root is not data:
        errors = run.record_missing_data([root], compiled.stream.shape, errors)
    return [anchor_error(error, (), error.get("path"), compiled.names) for error in errors]


def _start_run(compiled: CompiledOperation, request: ExecutionRequest, data: Any) -> Run:
    return Run(request.variables, request.transport, request.context, data, [], compiled.is_contextual)


async def _run_fetches(compiled: CompiledOperation, run: Run) -> None:
    if compiled.run:
        await compiled.run(run)


async def _build_response(
    compiled: CompiledOperation,
    run: Run,
    request: ExecutionRequest,
    data: dict[str, Any],
    errors: Errors,
) -> tuple[dict[str, Any] | None, ResponseBuilder]:
    with request.tracer.trace_stage("project"):
        projected, response = await project_in_thread_if_large(
            partial(compiled.project, data),
            partial(ResponseBuilder, run.variables, errors, run.absences),
        )
    if compiled.introspection and projected is not None:
        introspected, errors = await request.offload(
            partial(introspect, compiled.operation, compiled.introspection, run.variables)
        )
        fields = {**projected, **(introspected or {})}
        projected = {name: fields[name] for name in compiled.order if name in fields}
        response.errors += errors
    # With deferred fragments, the data is not complete yet.
    if response.errors and not compiled.deferred:
        response.errors = drop_unselected(response.errors, projected, compiled.locations)
    add_locations(response.errors, compiled.locations)
    return projected, response
