"""GraphQL over HTTP: GET and POST, content negotiation, status codes and CSRF prevention."""

from __future__ import annotations

import asyncio
from typing import Any, TypeAlias

from graphql import OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from router.errors import (
    AccessError,
    CrossSiteRequestError,
    DocumentError,
    MalformedRequestError,
    MethodNotAllowedError,
    NotAcceptableError,
    RouterError,
    StoppedError,
    UnsupportedMediaTypeError,
    build_internal_error,
)
from router.pipeline import Pipeline
from router.pipeline.caller import Caller
from router.pipeline.ready_operation import ReadyOperation
from router.pipeline.request import PARAMETERS, GraphQLRequest, parse_body, parse_query_string
from router.server import graphiql
from router.server.batching import execute_batch, execute_member
from router.server.clients import identify_client
from router.server.http_protocol import ENDLESS
from router.server.negotiation import (
    EVENT_STREAM,
    GRAPHQL_JSON,
    HTML,
    JSON,
    MULTIPART,
    PLAIN,
    RESULT_TYPES,
    accepts_incremental,
    negotiate_type,
    parse_media_type,
)
from router.server.request_bodies import RequestBodies
from router.server.responses import Responses, build_retry_after_header
from router.server.single_connection import (
    MESSAGES,
    OPERATION_PARAMETER,
    EventStream,
    EventStreams,
    read_stream_token,
)
from router.server.streaming import EVENTS, INCREMENTS, PARTS, Framing, StreamResponse, stream_error
from router.telemetry import Trace, current_trace, log

EndpointResponse: TypeAlias = Response | StreamResponse

SERVER_ERROR = 500


class HttpEndpoint:
    """The GraphQL endpoint over HTTP."""

    def __init__(
        self,
        pipeline: Pipeline,
        streams: EventStreams,
        responses: Responses,
        bodies: RequestBodies,
        *,
        max_batch: int,
        explorer: bool,
    ) -> None:
        self._pipeline = pipeline
        self._tracer = pipeline.tracer
        self._streams = streams
        self._responses = responses
        self._bodies = bodies
        self._max_batch = max_batch
        self._explorer = explorer

    async def handle(self, request: Request) -> EndpointResponse:
        """Handles one HTTP request; every error becomes a response."""
        with self._tracer.trace_request(request.method, request.scope["scheme"], request.headers) as trace:
            current_trace.set(trace)
            response = await self._respond(request, trace)
            self._tracer.record_status(response.status_code)
            if response.status_code >= SERVER_ERROR:
                self._tracer.record_error(str(response.status_code))
            return response

    async def _respond(self, request: Request, trace: Trace) -> EndpointResponse:
        if self._explorer and wants_explorer(request):
            return graphiql.build_page(request.headers.get("host", ""))
        try:
            return await self._execute(request, trace)
        except RouterError as error:
            return await self._build_error_response(request, error)
        except ClientDisconnect:
            # The client does not receive it.
            return Response(status_code=400)
        except asyncio.CancelledError:
            # Requests are cancelled only at shutdown, when they exceed its timeout.
            return await self._build_error_response(request, StoppedError())
        except Exception:  # noqa: BLE001 - the last resort: logged with its traceback, masked for clients
            log.exception("A request failed")
            return await self._responses.build_json(
                request, {"errors": [build_internal_error(trace.trace_id)]}, 500
            )

    async def _execute(self, request: Request, trace: Trace) -> EndpointResponse:
        refuse_cross_site(request)
        token = read_stream_token(request)
        if token is not None or request.method in ("PUT", "DELETE"):
            return await self._handle_stream_request(request, token, trace)
        parameters = await self._read_parameters(request)
        caller = await self._identify_caller(request)
        if isinstance(parameters, tuple):
            return await self._execute_batch(request, parameters, caller, trace)
        operation = await self._open_operation(request, parameters, caller, trace)
        if framing := _negotiate_framing(request, operation):
            request.scope[ENDLESS] = operation.kind is OperationType.SUBSCRIPTION
            return StreamResponse(operation.results(), framing)
        result = await operation.execute()
        return await self._responses.build_json(request, result, headers=build_retry_after_header(result))

    async def _handle_stream_request(
        self, request: Request, token: str | None, trace: Trace
    ) -> EndpointResponse:
        """Handles a request of graphql-sse's single connection mode.

        PUT reserves a stream, GET or POST accepting an event stream opens it, another POST or GET starts an
        operation on it, and DELETE stops one.
        """
        caller = await self._identify_caller(request)
        accept = request.headers.get("accept")
        if request.method == "PUT":
            if negotiate_type(accept, (PLAIN,)) is None:
                raise NotAcceptableError(f"The token is only available as {PLAIN}.")
            return Response(self._streams.reserve(caller), 201, media_type=PLAIN)
        if request.method == "DELETE":
            self._streams.get(token, caller).stop(_read_operation_id(request))
            return Response()
        if negotiate_type(accept, (*RESULT_TYPES, EVENT_STREAM)) == EVENT_STREAM:
            request.scope[ENDLESS] = True
            return StreamResponse(self._streams.open(token, caller), MESSAGES)
        await self._start_on_stream(request, self._streams.get(token, caller), caller, trace)
        return Response(status_code=202)

    async def _start_on_stream(
        self, request: Request, stream: EventStream, caller: Caller, trace: Trace
    ) -> None:
        parameters = await self._read_parameters(request)
        if isinstance(parameters, tuple) or parameters.operation_id is None:
            raise MalformedRequestError("On a stream, 'extensions' must contain an 'operationId'.")
        with stream.claim(parameters.operation_id):
            operation = await self._open_operation(request, parameters, caller, trace)
            stream.start(parameters.operation_id, operation.results())

    async def _identify_caller(self, request: Request) -> Caller:
        authorization, headers = request.headers.get("authorization"), request.headers
        return await self._pipeline.identify(authorization, headers, identify_client(request))

    async def _open_operation(
        self, request: Request, parameters: GraphQLRequest, caller: Caller, trace: Trace
    ) -> ReadyOperation:
        operation = await self._pipeline.open(parameters, caller, trace)
        if request.method != "POST" and operation.kind is OperationType.MUTATION:
            raise MethodNotAllowedError("Mutations must be sent with POST.", allow="POST")
        return operation

    async def _execute_batch(
        self, request: Request, batch: tuple[GraphQLRequest, ...], caller: Caller, trace: Trace
    ) -> Response:
        if negotiate_type(request.headers.get("accept"), (JSON,)) is None:
            raise NotAcceptableError(f"A batch is only available as {JSON}.")
        results = await execute_batch(batch, lambda member: self._execute_member(member, caller, trace))
        return await self._responses.build_json(request, results)

    async def _execute_member(self, request: GraphQLRequest, caller: Caller, trace: Trace) -> dict[str, Any]:
        with self._tracer.trace_batched_operation(trace) as member_trace:
            current_trace.set(member_trace)
            return await execute_member(self._pipeline, request, caller, member_trace)

    async def _read_parameters(self, request: Request) -> GraphQLRequest | tuple[GraphQLRequest, ...]:
        if request.method != "POST":
            return parse_query_string(request.query_params)
        essence, parameters = parse_media_type(request.headers.get("content-type"))
        if essence != JSON or parameters.get("charset", "utf-8") not in ("utf-8", "utf8"):
            raise UnsupportedMediaTypeError("The body must be application/json in UTF-8.")
        return parse_body(await self._bodies.read(request), self._max_batch)

    async def _build_error_response(self, request: Request, error: RouterError) -> EndpointResponse:
        # A request to a shared stream is only accepted or refused; it has no GraphQL response of its own.
        expects_result = request.method in ("GET", "POST") and read_stream_token(request) is None
        is_result = expects_result and isinstance(error, DocumentError | AccessError)
        accept = request.headers.get("accept")
        chosen = negotiate_type(accept, RESULT_TYPES)
        if is_result and chosen is None and negotiate_type(accept, (EVENT_STREAM,)):
            return StreamResponse(stream_error(error), EVENTS)
        # GraphQL over HTTP, application/json: a well-formed GraphQL response has status 200.
        status = 200 if is_result and chosen != GRAPHQL_JSON else error.status
        return await self._responses.build_json(request, error.to_response(), status, error.headers)


def wants_explorer(request: Request) -> bool:
    """Whether a browser navigates to the endpoint: no operation, and HTML preferred over data."""
    if request.method not in ("GET", "HEAD") or not request.query_params.keys().isdisjoint(PARAMETERS):
        return False
    return negotiate_type(request.headers.get("accept"), (*RESULT_TYPES, EVENT_STREAM, HTML)) == HTML


def refuse_cross_site(request: Request) -> None:
    """Refuses requests that another site makes a browser send without a CORS preflight (CSRF).

    A POST needs no check, because its JSON body requires a preflight. A GET from another site's markup (an
    image, a script, a frame) is recognised by its Fetch Metadata headers.

    Raises:
        CrossSiteRequestError: another site caused the request.
    """
    headers = request.headers
    if (
        request.method != "POST"
        and headers.get("sec-fetch-site") in ("cross-site", "same-site")
        and headers.get("sec-fetch-mode") in ("no-cors", "navigate")
    ):
        raise CrossSiteRequestError("Operations must not be sent by other sites.")


def _negotiate_framing(request: Request, operation: ReadyOperation) -> Framing | None:
    """The framing of a streamed response; None for a single response.

    Raises:
        NotAcceptableError: the client accepts no media type that can carry the response.
    """
    accept = request.headers.get("accept")
    if operation.kind is OperationType.SUBSCRIPTION:
        streams = {EVENT_STREAM: EVENTS, MULTIPART: PARTS}
        if chosen := negotiate_type(accept, tuple(streams)):
            return streams[chosen]
        raise NotAcceptableError(
            f"A subscription is available as {EVENT_STREAM}, {MULTIPART}, or over WebSocket."
        )
    if operation.is_deferrable and accepts_incremental(accept):
        return INCREMENTS
    if negotiate_type(accept, RESULT_TYPES):
        return None
    if negotiate_type(accept, (EVENT_STREAM,)):
        return EVENTS
    if accepts_incremental(accept):
        return INCREMENTS
    raise NotAcceptableError(f"The response is available as {GRAPHQL_JSON} or {JSON}.")


def _read_operation_id(request: Request) -> str:
    """The id of the operation to stop.

    Raises:
        MalformedRequestError: it is missing.
    """
    identifier = request.query_params.get(OPERATION_PARAMETER)
    if not identifier:
        raise MalformedRequestError(f"The parameter {OPERATION_PARAMETER!r} is missing.")
    return identifier
