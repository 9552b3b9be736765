"""The ASGI application of a subgraph: GraphQL, health checks, tracing and masking of errors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from json import JSONDecodeError
from typing import Any, Final, cast

import orjson
import strawberry
from cross_web import HTTPException
from graphql import GraphQLError
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLHTTPResponse
from strawberry.http.streaming import AsyncTextStream, HTTPStreamTransport
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL
from strawberry.types import ExecutionResult, SubscriptionExecutionResult

from subgraphs.common import deliveries
from subgraphs.common.app_state import AppState, get_state, set_state
from subgraphs.common.context import Context
from subgraphs.common.errors import DomainError, Unauthenticated
from subgraphs.common.event_streams import (
    ClosingStreamingResponse,
    LineFeedEvents,
    break_on_outage,
    close_with_stream,
)
from subgraphs.common.garbage import collect_when_idle, delay_collections
from subgraphs.common.gate import MAX_BODY_COMMAS, Gate, RefusedRequest
from subgraphs.common.identity import Identity, TokenVerifier
from subgraphs.common.manifest import Domain
from subgraphs.common.masking import build_masked_error, format_error
from subgraphs.common.redaction import truncate
from subgraphs.common.runtime import Runtime, open_runtime
from subgraphs.common.settings import DomainSettings
from subgraphs.common.telemetry import REQUEST_SECONDS, REQUESTS, get_logger, start_trace
from subgraphs.common.tracing import open_span
from subgraphs.common.validation import parse_small_number

DEADLINE_HEADER: Final = "x-deadline-ms"

LoaderFactory = Callable[[Runtime, Identity | None], Any]

_CHECK_SECONDS: Final = 3.0
"""How long a readiness check waits for PostgreSQL or Redis."""


class GraphQLView(GraphQL[Context[Any], None]):
    """Strawberry's view with the platform's context and errors."""

    def __init__(self, schema: strawberry.federation.Schema, loaders: LoaderFactory) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            allow_queries_via_get=False,
            subscription_protocols=(GRAPHQL_SSE_PROTOCOL,),
        )
        self.stream_transport_classes_by_protocol = {GRAPHQL_SSE_PROTOCOL: LineFeedEvents}
        self._loaders = loaders

    def _stream_result(
        self, request: Request, result: SubscriptionExecutionResult, transport: HTTPStreamTransport
    ) -> AsyncTextStream:
        results = break_on_outage(cast("AsyncGenerator[ExecutionResult]", result))
        stream = super()._stream_result(request, cast("SubscriptionExecutionResult", results), transport)
        return partial(close_with_stream, stream, results)

    async def create_streaming_response(
        self,
        request: Request | WebSocket,
        stream: Callable[[], AsyncIterator[str]],
        sub_response: Response,
        headers: Mapping[str, str],
    ) -> Response:
        """Build the response of a subscription, which closes its stream when it ends."""
        del request, sub_response
        return ClosingStreamingResponse(cast("AsyncGenerator[str]", stream()), headers=headers)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context[Any]:
        """Verify the caller's token, if there is one, and create the request's loaders."""
        del response
        state = get_state(request.app)
        runtime, caller = state.runtime, await _verify_caller(request, state.verifier)
        loaders = self._loaders(runtime, caller)
        return Context(runtime, caller, loaders, request.headers.get("user-agent"), _read_deadline(request))

    async def run(self, *args: Any, **kwargs: Any) -> Any:
        """Answer a request; RefusedRequest for a malformed one."""
        try:
            with delay_collections():
                return await super().run(*args, **kwargs)
        except HTTPException as error:
            raise RefusedRequest(error.reason, error.status_code) from error

    async def execute_single(self, request: Request, *args: Any, **kwargs: Any) -> ExecutionResult:
        """Execute an operation, and cancel it when its caller disconnects."""
        execution = asyncio.ensure_future(super().execute_single(request, *args, **kwargs))
        disconnect = asyncio.ensure_future(_wait_for_disconnect(request))
        try:
            await asyncio.wait({execution, disconnect}, return_when=asyncio.FIRST_COMPLETED)
            if not execution.done():
                raise ClientDisconnect
            return execution.result()
        finally:
            for task in (execution, disconnect):
                task.cancel()
            await asyncio.gather(execution, disconnect, return_exceptions=True)

    def decode_json(self, data: str | bytes) -> object:
        """Parse a body; refuse values on which Strawberry would fail later."""
        text = data.encode() if isinstance(data, str) else data
        if text.count(b",") > MAX_BODY_COMMAS:
            raise HTTPException(413, "The body has too many values.")
        value = orjson.loads(text)
        if not isinstance(value, dict | list):
            raise JSONDecodeError("An object is expected", str(value), 0)
        if isinstance(value, dict) and value.get("query") == "":
            raise HTTPException(400, "The query is empty.")
        if isinstance(value, dict) and not isinstance(value.get("operationName"), str | None):
            raise HTTPException(400, "The operationName must be a string.")
        return value

    def encode_json(self, data: object) -> str:
        """Serialise a response."""
        return orjson.dumps(data).decode()

    def _handle_errors(self, errors: list[GraphQLError], response_data: GraphQLHTTPResponse) -> None:
        response_data["errors"] = [format_error(error) for error in errors]


def _read_deadline(request: Request | WebSocket) -> float | None:
    """Read the caller's deadline, as a time of `time.monotonic`."""
    milliseconds = parse_small_number(request.headers.get(DEADLINE_HEADER, ""), digits=9)
    if milliseconds is None:
        return None
    return time.monotonic() + milliseconds / 1000


async def _wait_for_disconnect(request: Request) -> None:
    """Wait until the caller disconnects; the request must have been read completely."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _verify_caller(request: Request | WebSocket, verifier: TokenVerifier) -> Identity | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if not scheme:
        return None
    if scheme.lower() != "bearer":
        raise Unauthenticated("The authorization header must be a bearer token.")
    return await verifier.verify(token)


class TraceMiddleware:
    """Middleware of the GraphQL endpoint: continues the trace of each request, measures it and logs it."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Measure a request to the GraphQL endpoint; pass on any other."""
        if scope["type"] != "http" or not scope["path"].startswith("/graphql"):
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        traceparent = headers.get(b"traceparent", b"").decode("latin-1")
        start_trace(traceparent)
        started, status = time.perf_counter(), 0

        async def record_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            with open_span("POST /graphql", "server", {"http.route": "/graphql"}, traceparent=traceparent):
                await self._app(scope, receive, record_status)
        finally:
            seconds = time.perf_counter() - started
            REQUESTS.labels(self._service, "ok" if status == 200 else "error").inc()
            REQUEST_SECONDS.labels(self._service).observe(seconds)
            get_logger().debug("Request answered", status=status, milliseconds=round(seconds * 1000, 1))


async def _answer_refusal(_: Request, error: Exception) -> Response:
    """Answer a request that is refused before execution, such as one with an invalid token."""
    extensions = error.extensions if isinstance(error, DomainError) else {}
    body = {"data": None, "errors": [{"message": truncate(str(error)), "extensions": extensions}]}
    return JSONResponse(body, status_code=error.status if isinstance(error, RefusedRequest) else 200)


async def _mask_failure(_: Request, error: Exception) -> Response:
    """Log an unexpected error and mask it."""
    get_logger().error("A request failed", exc_info=error)
    return JSONResponse({"data": None, "errors": [build_masked_error()]}, status_code=500)


async def _ignore_disconnect(_: Request, __: Exception) -> Response:
    """Answer a caller that has disconnected, with the status that nginx logs for it."""
    return Response(status_code=499)


async def _check_liveness(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _check_readiness(request: Request) -> Response:
    runtime = get_state(request.app).runtime
    checks = {
        "database": await _run_check(runtime.database.check),
        "redis": await _run_check(runtime.redis.ping),
    }
    ready = all(outcome == "ok" for outcome in checks.values())
    report: dict[str, Any] = {"status": "ok" if ready else "unavailable", "checks": checks}
    if ready and (parked := await _count_parked_jobs(runtime)):
        report["warnings"] = [f"parked jobs: {parked} (memorable jobs list)"]
    return JSONResponse(report, status_code=200 if ready else 503)


async def _count_parked_jobs(runtime: Runtime) -> int:
    async with runtime.database.read() as session:
        return await deliveries.count_parked(session, runtime.domain.get_table("deliveries"))


async def _run_check(check: Callable[[], Awaitable[Any]]) -> str:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            await check()
    except Exception as error:  # noqa: BLE001 - whatever the error, the dependency is not ready
        return type(error).__name__
    return "ok"


def create_subgraph(
    domain: Domain,
    settings: DomainSettings,
    *,
    schema: strawberry.federation.Schema,
    loaders: LoaderFactory,
    routes: Sequence[BaseRoute] = (),
) -> Starlette:
    """Create the ASGI application of a domain; `routes` are those beside the GraphQL endpoint."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_runtime(domain, settings) as runtime, collect_when_idle():
            verifier = TokenVerifier(
                settings.jwks_url, settings.jwt_issuer, runtime.clock, settings.outgoing_ca_file
            )
            set_state(app, AppState(runtime, verifier))
            yield

    view = GraphQLView(schema, loaders)
    app = Starlette(
        lifespan=lifespan,
        routes=[
            Route("/health/live", _check_liveness),
            Route("/health/ready", _check_readiness),
            *routes,
            Route("/graphql", view),
        ],
        exception_handlers={
            DomainError: _answer_refusal,
            ClientDisconnect: _ignore_disconnect,
            Exception: _mask_failure,
        },
    )
    app.add_middleware(Gate, service_token=settings.service_token.get_secret_value())
    app.add_middleware(TraceMiddleware, service=domain.name)
    return app
