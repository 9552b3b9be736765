"""Pass-through: requests for the paths of a subgraph that are not GraphQL, such as webhooks and files.

The request is passed on unchanged, so that a signature over its body stays valid, and the response is
streamed back as fast as the client reads it. The subgraph itself decides which requests it accepts, by
such signatures.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol
from weakref import WeakValueDictionary

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from router.errors import BadGatewayError, OverloadedError, PathNotFoundError, RouterError
from router.round_robin import RoundRobin
from router.server.clients import identify_client
from router.server.request_bodies import RequestBodies
from router.server.responses import Responses
from router.telemetry import Metrics, log

METHODS = ("GET", "HEAD", "POST")
MAX_CONCURRENT = 128
MAX_PER_CLIENT = 16
MAX_WAIT_SECONDS = 20.0
# They belong to one connection (RFC 9110 section 7.6.1), or the router sets them itself.
NOT_FORWARDED = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te"),
        *("trailer", "transfer-encoding", "upgrade", "expect", "host", "content-length", "forwarded"),
        *("x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-memorable-service-token"),
    }
)


class PassedResponse(Protocol):
    """The response of a subgraph, whose body is being received."""

    @property
    def status(self) -> int:
        """Its status."""

    @property
    def headers(self) -> Sequence[tuple[bytes, bytes]]:
        """Its end-to-end headers, with names in lower case."""

    @property
    def chunks(self) -> AsyncIterator[bytes]:
        """Its body; BadGatewayError if that is cut off."""


class Forwarder(Protocol):
    """Sends requests to subgraphs."""

    def forward(
        self, subgraph: str, method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes
    ) -> AbstractAsyncContextManager[PassedResponse]:
        """Sends one request to a path of a subgraph; BadGatewayError if there is no response."""


class PassThrough:
    """The ASGI endpoint of one path and of those below it."""

    def __init__(
        self, subgraph: str, bodies: RequestBodies, responses: Responses, slots: Slots, metrics: Metrics
    ) -> None:
        self._subgraph = subgraph
        self._bodies = bodies
        self._responses = responses
        self._slots = slots
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes one request on, and its response back."""
        request = Request(scope, receive)
        is_started = False
        try:
            if has_dot_segments(scope["path"]):
                raise PathNotFoundError
            body = await self._bodies.read(request)
            client = identify_client(request)
            headers = build_forwarded_headers(request.headers, client, scope["scheme"])
            async with (
                self._slots.hold(client),
                scope["app"].service.forwarder.forward(
                    self._subgraph, request.method, _read_target(scope), headers, body
                ) as passed,
            ):
                self._metrics.passed_requests.labels(self._subgraph, f"{passed.status // 100}xx").inc()
                response = StreamingResponse(passed.chunks, passed.status)
                response.raw_headers = list(passed.headers)
                is_started = True
                await response(scope, receive, send)
        except RouterError as error:
            await self._report(error, request, send, is_started=is_started)
        except ClientDisconnect:
            return

    async def _report(self, error: RouterError, request: Request, send: Send, *, is_started: bool) -> None:
        """Responds with an error; once a response has started, its connection is closed instead."""
        if isinstance(error, BadGatewayError):
            self._metrics.passed_requests.labels(self._subgraph, "failed").inc()
            log.warning(error.reason, extra={"metadata": {"subgraph": self._subgraph}})
        if not is_started:
            response = await self._responses.build_json(
                request, error.to_response(), error.status, error.headers
            )
            await response(request.scope, request.receive, send)


class Slots:
    """A bounded number of requests in flight, and of those of one client; clients take turns for the rest."""

    def __init__(self, total: int = MAX_CONCURRENT, per_client: int = MAX_PER_CLIENT) -> None:
        self._free = total
        self._per_client = per_client
        self._clients: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._waiting = RoundRobin[None](sys.maxsize, lambda _: self._release())

    @asynccontextmanager
    async def hold(self, client: str) -> AsyncIterator[None]:
        """Holds a slot; OverloadedError if none becomes free in time."""
        own = self._clients.get(client)
        if own is None:
            own = self._clients[client] = asyncio.Semaphore(self._per_client)
        try:
            async with asyncio.timeout(MAX_WAIT_SECONDS):
                await own.acquire()
                try:
                    await self._acquire(client)
                except BaseException:
                    own.release()
                    raise
        except TimeoutError:
            raise OverloadedError("Too many files are being sent; try again later.") from None
        try:
            yield
        finally:
            self._release()
            own.release()

    async def _acquire(self, client: str) -> None:
        if self._free:
            self._free -= 1
        else:
            await self._waiting.wait(client)

    def _release(self) -> None:
        if not self._waiting.grant(None):
            self._free += 1


def build_routes(
    paths: Mapping[str, str], bodies: RequestBodies, responses: Responses, metrics: Metrics
) -> list[BaseRoute]:
    """The routes of paths that are passed on, by path, each to the subgraph that serves it."""
    slots = Slots()
    endpoints = {
        path: PassThrough(subgraph, bodies, responses, slots, metrics) for path, subgraph in paths.items()
    }
    return [
        Route(each, endpoint, methods=METHODS)
        for path, endpoint in endpoints.items()
        for each in (path, f"{path}/{{rest:path}}")
    ]


def has_dot_segments(path: str) -> bool:
    """Whether a server that resolves dot segments would find another path below it."""
    return not {".", ".."}.isdisjoint(path.replace("\\", "/").split("/"))


def build_forwarded_headers(headers: Headers, client: str, scheme: str) -> list[tuple[str, str]]:
    """The end-to-end headers of a request, and who sent it."""
    connection_specific = {
        name.strip().lower() for value in headers.getlist("connection") for name in value.split(",")
    }
    kept = [
        (name, value)
        for name, value in headers.items()
        if name not in NOT_FORWARDED and name not in connection_specific
    ]
    return [*kept, ("x-forwarded-for", client), ("x-forwarded-proto", scheme)]


def _read_target(scope: Scope) -> str:
    """The request target, with the escapes that the client has chosen."""
    path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path
