"""The spans of the server: requests, and the stages that each of them crosses."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from graphql import DocumentNode, GraphQLSchema
from opentelemetry.semconv.attributes.http_attributes import (
    HTTP_REQUEST_METHOD,
    HTTP_RESPONSE_STATUS_CODE,
    HTTP_ROUTE,
)
from opentelemetry.semconv.attributes.network_attributes import NETWORK_PROTOCOL_NAME
from opentelemetry.semconv.attributes.url_attributes import URL_PATH, URL_SCHEME
from opentelemetry.trace import get_current_span
from starlette.requests import Request

from router.errors import AccessError
from router.executor import ExecutionRequest, Prepared
from router.executor.answer import Answer
from router.executor.projection import Project
from router.operation import Operation as Document
from router.pipeline import Caller, Operation, Pipeline
from router.pipeline.operations import Operations
from router.pipeline.preparation import Key, Outcome, Preparation, PreparedOperation
from router.pipeline.request import GraphQLRequest
from router.policy.auth import Identity
from router.server.application import ENDPOINT
from router.server.http import EndpointResponse, HttpEndpoint
from router.server.messages import Subscribe
from router.server.websocket import Connection
from router.telemetry import Trace
from router.tracing.spans import (
    SERVER_ERROR,
    UNKNOWN_OPERATION,
    continued,
    described,
    end,
    event_span,
    fail,
    fail_with,
    server_span,
    span_within,
    trace_of,
)

OPERATION_CACHE = "router.operation_cache"


class TracedEndpoint(HttpEndpoint):
    """Each request has a span, and so has each operation of a batch below it."""

    async def handle(self, request: Request) -> EndpointResponse:
        """The answer, whose status the span tells."""
        attributes = {
            HTTP_REQUEST_METHOD: request.method,
            HTTP_ROUTE: ENDPOINT,
            URL_PATH: ENDPOINT,
            URL_SCHEME: request.scope["scheme"],
        }
        caller = continued(request.headers)
        with server_span(f"{request.method} {ENDPOINT}", caller, attributes) as span:
            response = await super().handle(request)
            span.set_attribute(HTTP_RESPONSE_STATUS_CODE, response.status_code)
            if response.status_code >= SERVER_ERROR:
                fail(span, str(response.status_code))
            return response

    def _begin_trace(self, request: Request) -> Trace:
        return trace_of(get_current_span())

    async def _member(self, request: GraphQLRequest, caller: Caller, trace: Trace) -> dict[str, Any]:
        with server_span(UNKNOWN_OPERATION, None, {}) as span:
            return await super()._member(request, caller, trace_of(span))


class TracedConnection(Connection):
    """Each operation has a span."""

    async def _run(self, message: Subscribe, caller: Caller) -> None:
        attributes = {NETWORK_PROTOCOL_NAME: "websocket", URL_PATH: ENDPOINT}
        with server_span(UNKNOWN_OPERATION, continued(self._socket.headers), attributes):
            await super()._run(message, caller)

    def _begin_trace(self) -> Trace:
        return trace_of(get_current_span())


class TracedPipeline(Pipeline):
    """Each stage has a span; what ends a request early is told of its own span too."""

    async def identify(self, authorization: str | None, headers: Mapping[str, str], address: str) -> Caller:
        """The verified caller."""
        with span_within("identify"):
            return await super().identify(authorization, headers, address)

    async def open(self, request: GraphQLRequest, caller: Caller, trace: Trace) -> Operation:
        """The operation, ready to run."""
        try:
            return await super().open(request, caller, trace)
        except Exception as error:
            fail(get_current_span(), error)
            raise

    async def _prepare(
        self, request: GraphQLRequest, client: str, deadline: float | None
    ) -> PreparedOperation:
        with span_within("prepare"):
            prepared = await super()._prepare(request, client, deadline)
        span = get_current_span()
        span.update_name(prepared.operation.kind)
        span.set_attributes(described(prepared.operation))
        return prepared

    async def _authorise(
        self, prepared: PreparedOperation, identity: Identity | None, trace: Trace
    ) -> list[AccessError]:
        with span_within("authorise"):
            return await super()._authorise(prepared, identity, trace)

    def _coerce(
        self, prepared: PreparedOperation, request: GraphQLRequest
    ) -> tuple[dict[str, Any], int | None]:
        with span_within("coerce"):
            return super()._coerce(prepared, request)

    def _ready(
        self,
        prepared: PreparedOperation,
        run: ExecutionRequest,
        caller: Caller,
        trace: Trace,
        cost: int | None,
        refused: Sequence[AccessError],
    ) -> Operation:
        return TracedOperation(self, prepared, run, caller, trace, cost, refused)


class TracedOperation(Operation):
    """To execute it has a span, and so has each event of a subscription."""

    async def execute(self) -> dict[str, Any]:
        """The response; that it has errors is told of the request's span."""
        with span_within("execute"):
            result = await super().execute()
        if errors := result.get("errors"):
            fail_with(get_current_span(), errors)
        return result

    def _events(self) -> AsyncGenerator[dict[str, Any], None]:
        # A span is seen when it has ended, and a subscription may live for days.
        end(get_current_span())
        return super()._events()

    async def _complete(self, event: Mapping[str, Any]) -> dict[str, Any]:
        with event_span(self._operation.operation):
            result = await super()._complete(event)
            if errors := result.get("errors"):
                fail_with(get_current_span(), errors)
            return result


class TracedOperations(Operations):
    """Whether an operation was known is told of the stage's span."""

    async def get(
        self, query: str, operation_name: str | None, client: str, deadline: float | None = None
    ) -> PreparedOperation:
        """The prepared operation."""
        get_current_span().set_attribute(OPERATION_CACHE, "hit")
        return await super().get(query, operation_name, client, deadline)


class TracedPreparation(Preparation):
    """What is done once for a document has spans where it is done."""

    def attempt(self, key: Key) -> Outcome:
        """The prepared operation, or why it is refused."""
        get_current_span().set_attribute(OPERATION_CACHE, "miss")
        return super().attempt(key)

    def _parse(self, query: str) -> DocumentNode:
        with span_within("parse"):
            return super()._parse(query)

    def _validate(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        with span_within("validate"):
            super()._validate(schema, document)

    def _plan(self, operation: Document, key: Key) -> Prepared:
        with span_within("plan"):
            prepared = super()._plan(operation, key)
        return replace(prepared, project=_traced(prepared.project))


def _traced(project: Project) -> Project:
    def traced(data: Mapping[str, Any], answer: Answer) -> dict[str, Any] | None:
        with span_within("project"):
            return project(data, answer)

    return traced
