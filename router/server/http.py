"""GraphQL over HTTP: GET and POST, content negotiation, status codes, and no way in for other sites."""

from __future__ import annotations

import asyncio
from typing import Any, TypeAlias

from graphql import OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from router.config.settings import Limits
from router.errors import (
    AccessError,
    BodyTooLargeError,
    CrossSiteRequestError,
    DocumentError,
    MalformedRequestError,
    MethodNotAllowedError,
    NotAcceptableError,
    OverloadedError,
    RouterError,
    StoppedError,
    UnsupportedMediaTypeError,
    internal_error,
)
from router.pipeline import Pipeline
from router.pipeline.caller import Caller
from router.pipeline.ready_operation import ReadyOperation
from router.pipeline.request import PARAMETERS, GraphQLRequest, parse_body, parse_query_string
from router.server import graphiql
from router.server.batching import answered
from router.server.clients import client_key
from router.server.http_protocol import ENDLESS
from router.server.negotiation import (
    ANSWERS,
    EVENT_STREAM,
    GRAPHQL_JSON,
    HTML,
    JSON,
    MULTIPART,
    PLAIN,
    media_type,
    preferred,
    takes_increments,
)
from router.server.responses import Responses, retry_after
from router.server.single_connection import (
    MESSAGES,
    OPERATION_PARAMETER,
    EventStream,
    EventStreams,
    stream_token,
)
from router.server.streaming import EVENTS, INCREMENTS, PARTS, Framing, StreamResponse, refused
from router.telemetry import Trace, current_trace, log

EndpointResponse: TypeAlias = Response | StreamResponse

# More than any body has that could be read.
MAX_DIGITS = 18
SERVER_ERROR = 500


class HttpEndpoint:
    """The GraphQL address as HTTP sees it."""

    def __init__(
        self,
        pipeline: Pipeline,
        streams: EventStreams,
        responses: Responses,
        limits: Limits,
        *,
        explorer: bool,
    ) -> None:
        self._pipeline = pipeline
        self._tracer = pipeline.tracer
        self._streams = streams
        self._responses = responses
        self._limits = limits
        self._explorer = explorer
        self._body_bytes = 0

    async def handle(self, request: Request) -> EndpointResponse:
        """Answers one HTTP request, whatever becomes of it."""
        with self._tracer.trace_request(request.method, request.scope["scheme"], request.headers) as trace:
            current_trace.set(trace)
            response = await self._response(request, trace)
            self._tracer.record_status(response.status_code)
            if response.status_code >= SERVER_ERROR:
                self._tracer.record_error(str(response.status_code))
            return response

    async def _response(self, request: Request, trace: Trace) -> EndpointResponse:
        if self._explorer and wants_explorer(request):
            return graphiql.page(request.headers.get("host", ""))
        try:
            return await self._answer(request, trace)
        except RouterError as error:
            return await self._refusal(request, error)
        except ClientDisconnect:
            # Nobody is there to read it.
            return Response(status_code=400)
        except asyncio.CancelledError:
            # Only a process that ends cancels requests, and only what took too long for its end.
            return await self._refusal(request, StoppedError())
        except Exception:  # noqa: BLE001 - the last resort: logged whole, internal_error for the client
            log.exception("A request failed")
            return await self._responses.json(request, {"errors": [internal_error(trace.trace_id)]}, 500)

    async def _answer(self, request: Request, trace: Trace) -> EndpointResponse:
        refuse_cross_site(request)
        token = stream_token(request)
        if token is not None or request.method in ("PUT", "DELETE"):
            return await self._on_one_connection(request, token, trace)
        parameters = await self._parameters(request)
        caller = await self._caller(request)
        if isinstance(parameters, tuple):
            return await self._batch(request, parameters, caller, trace)
        operation = await self._operation(request, parameters, caller, trace)
        if framing := _framing(request, operation):
            request.scope[ENDLESS] = operation.kind is OperationType.SUBSCRIPTION
            return StreamResponse(operation.results(), framing)
        answer = await operation.execute()
        return await self._responses.json(request, answer, headers=retry_after(answer))

    async def _on_one_connection(self, request: Request, token: str | None, trace: Trace) -> EndpointResponse:
        """One request of those that share an event stream."""
        caller = await self._caller(request)
        accept = request.headers.get("accept")
        if request.method == "PUT":
            if preferred(accept, (PLAIN,)) is None:
                raise NotAcceptableError(f"A token is answered as {PLAIN}.")
            return Response(self._streams.reserve(caller), 201, media_type=PLAIN)
        if request.method == "DELETE":
            self._streams.get(token, caller).stop(_stopped(request))
            return Response()
        if preferred(accept, (*ANSWERS, EVENT_STREAM)) == EVENT_STREAM:
            request.scope[ENDLESS] = True
            return StreamResponse(self._streams.open(token, caller), MESSAGES)
        await self._start(request, self._streams.get(token, caller), caller, trace)
        return Response(status_code=202)

    async def _start(self, request: Request, stream: EventStream, caller: Caller, trace: Trace) -> None:
        parameters = await self._parameters(request)
        if isinstance(parameters, tuple) or parameters.operation_id is None:
            raise MalformedRequestError("On a stream, an operation has an 'operationId' in its extensions.")
        with stream.claimed(parameters.operation_id):
            operation = await self._operation(request, parameters, caller, trace)
            stream.start(parameters.operation_id, operation.results())

    async def _caller(self, request: Request) -> Caller:
        authorization, headers = request.headers.get("authorization"), request.headers
        return await self._pipeline.identify(authorization, headers, client_key(request))

    async def _operation(
        self, request: Request, parameters: GraphQLRequest, caller: Caller, trace: Trace
    ) -> ReadyOperation:
        operation = await self._pipeline.open(parameters, caller, trace)
        if request.method != "POST" and operation.kind is OperationType.MUTATION:
            raise MethodNotAllowedError("Mutations are sent with POST.", allow="POST")
        return operation

    async def _batch(
        self, request: Request, batch: tuple[GraphQLRequest, ...], caller: Caller, trace: Trace
    ) -> Response:
        if preferred(request.headers.get("accept"), (JSON,)) is None:
            raise NotAcceptableError(f"A batch is answered as {JSON}.")
        answers = await asyncio.gather(*(self._member(each, caller, trace) for each in batch))
        return await self._responses.json(request, answers)

    async def _member(self, request: GraphQLRequest, caller: Caller, trace: Trace) -> dict[str, Any]:
        with self._tracer.trace_batched_operation(trace) as own:
            current_trace.set(own)
            return await answered(self._pipeline, request, caller, own)

    async def _parameters(self, request: Request) -> GraphQLRequest | tuple[GraphQLRequest, ...]:
        if request.method != "POST":
            return parse_query_string(request.query_params)
        essence, parameters = media_type(request.headers.get("content-type"))
        if essence != JSON or parameters.get("charset", "utf-8") not in ("utf-8", "utf8"):
            raise UnsupportedMediaTypeError("The body must be application/json in UTF-8.")
        return parse_body(await self._body(request), self._limits.max_batch)

    async def _body(self, request: Request) -> bytes:
        declared = request.headers.get("content-length", "0")
        if declared.isdecimal() and int(declared[:MAX_DIGITS]) > self._limits.max_body_bytes:
            raise self._too_large()
        body = bytearray()
        try:
            async for chunk in request.stream():
                body += chunk
                self._body_bytes += len(chunk)
                if len(body) > self._limits.max_body_bytes:
                    raise self._too_large()
                if self._body_bytes > self._limits.max_bodies_bytes:
                    raise OverloadedError
        finally:
            self._body_bytes -= len(body)
        return bytes(body)

    def _too_large(self) -> BodyTooLargeError:
        return BodyTooLargeError(f"The body is larger than {self._limits.max_body_bytes} bytes.")

    async def _refusal(self, request: Request, error: RouterError) -> EndpointResponse:
        # On a stream that many operations share there is no answer, only a request that was not accepted.
        asks = request.method in ("GET", "POST") and stream_token(request) is None
        is_answer = asks and isinstance(error, DocumentError | AccessError)
        accept = request.headers.get("accept")
        chosen = preferred(accept, ANSWERS)
        if is_answer and chosen is None and preferred(accept, (EVENT_STREAM,)):
            return StreamResponse(refused(error), EVENTS)
        # Clients of plain JSON take any status but 200 for an answer that is not GraphQL's.
        status = 200 if is_answer and chosen != GRAPHQL_JSON else error.status
        return await self._responses.json(request, error.response(), status, error.headers)


def wants_explorer(request: Request) -> bool:
    """Whether a person opened the address in a browser: no operation, and a page preferred over data."""
    if request.method not in ("GET", "HEAD") or not request.query_params.keys().isdisjoint(PARAMETERS):
        return False
    return preferred(request.headers.get("accept"), (*ANSWERS, EVENT_STREAM, HTML)) == HTML


def refuse_cross_site(request: Request) -> None:
    """Refuses what a foreign page makes a browser send without asking us first.

    A POST needs no check: a JSON body forces the browser to ask. A GET from another site's markup
    (an image, a script, a frame) says so in its fetch metadata.

    Raises:
        CrossSiteRequestError: a browser sends a GET for another site.
    """
    headers = request.headers
    if (
        request.method != "POST"
        and headers.get("sec-fetch-site") in ("cross-site", "same-site")
        and headers.get("sec-fetch-mode") in ("no-cors", "navigate")
    ):
        raise CrossSiteRequestError("Another site may not make a browser send operations here.")


def _framing(request: Request, operation: ReadyOperation) -> Framing | None:
    """How the answer is streamed, if it is."""
    accept = request.headers.get("accept")
    if operation.kind is OperationType.SUBSCRIPTION:
        streams = {EVENT_STREAM: EVENTS, MULTIPART: PARTS}
        if chosen := preferred(accept, tuple(streams)):
            return streams[chosen]
        raise NotAcceptableError(
            f"A subscription is answered as {EVENT_STREAM}, as {MULTIPART}, or over WebSocket."
        )
    if operation.is_deferrable and takes_increments(accept):
        return INCREMENTS
    if preferred(accept, ANSWERS):
        return None
    if preferred(accept, (EVENT_STREAM,)):
        return EVENTS
    if takes_increments(accept):
        return INCREMENTS
    raise NotAcceptableError(f"The answer can be {GRAPHQL_JSON} or {JSON}.")


def _stopped(request: Request) -> str:
    """The id of the operation to end.

    Raises:
        MalformedRequestError: it is missing.
    """
    identifier = request.query_params.get(OPERATION_PARAMETER)
    if not identifier:
        raise MalformedRequestError(f"The parameter {OPERATION_PARAMETER!r} is missing.")
    return identifier
