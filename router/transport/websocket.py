"""Subscriptions at subgraphs over WebSocket: the client side of graphql-transport-ws.

A socket is opened with the headers of one caller, so it carries one subscription. aiohttp implements
WebSocket, with heartbeats.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import aiohttp
from aiohttp import WSCloseCode, WSMsgType

from router.config.header_rules import HeaderRules, HeaderValue
from router.json_text import InvalidJsonError, decode_lossy, encode
from router.tracing import NO_TRACER, Tracer
from router.transport.address import Address
from router.transport.base import FetchOutcome, RequestContext
from router.transport.http import (
    NO_RULES,
    StreamBrokenError,
    SubgraphError,
    build_request_headers,
    is_graphql,
)
from router.transport.sse_source import MAX_EVENT_BYTES, SERVER_ERROR, SILENCE_SECONDS

SUBPROTOCOL = "graphql-transport-ws"
OPERATION_ID = "1"
# How long the closing handshake with a subgraph may take.
CLOSE_TIMEOUT = aiohttp.ClientWSTimeout(ws_close=1.0)
# The close codes that end the connection rather than the subscription: restarting servers, proxies, network
# failures, and an initialisation timeout. After any other code reopening would fail again.
BROKEN = frozenset({1000, 1001, 1005, 1006, 1011, 1012, 1013, 1014, 4408})


class WebSocketSource:
    """Opens subscriptions at the subgraphs, each over its own socket."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        addresses: Mapping[str, Address],
        timeout: float,
        rules: HeaderRules = NO_RULES,
        tracer: Tracer = NO_TRACER,
    ) -> None:
        self._tracer = tracer
        self._session = session
        self._addresses = addresses
        self._timeout = timeout
        self._rules = rules

    async def open(self, subgraph: str, body: bytes, context: RequestContext) -> WebSocketStream:
        """Opens a stream; returns once the subgraph has acknowledged the connection.

        Raises:
            StreamBrokenError: the subgraph is unreachable or unavailable.
            SubgraphError: it refuses the caller, or does not speak the protocol.
        """
        with self._tracer.trace_fetch(subgraph, "GET", self._addresses[subgraph].url) as trace:
            return await self._open(subgraph, body, context.with_trace(trace))

    async def _open(self, subgraph: str, body: bytes, context: RequestContext) -> WebSocketStream:
        headers = build_request_headers(subgraph, context, self._rules, {})
        try:
            async with asyncio.timeout(self._timeout):
                stream = WebSocketStream(subgraph, await self._connect(subgraph, headers))
                await stream.subscribe(_build_payload(headers, context), body)
        except TimeoutError:
            reason = f"no stream within {self._timeout:g} seconds"
            raise StreamBrokenError(subgraph, reason, FetchOutcome.TIMEOUT) from None
        return stream

    async def _connect(
        self, subgraph: str, headers: Mapping[str, HeaderValue]
    ) -> aiohttp.ClientWebSocketResponse:
        try:
            return await self._session.ws_connect(
                self._addresses[subgraph].url,
                protocols=(SUBPROTOCOL,),
                headers=_encode_headers(headers),
                ssl=self._addresses[subgraph].tls or True,
                # aiohttp waits for a pong for half as long again.
                heartbeat=SILENCE_SECONDS * 2 / 3,
                max_msg_size=MAX_EVENT_BYTES,
                timeout=CLOSE_TIMEOUT,
            )
        except aiohttp.WSServerHandshakeError as error:
            failure = StreamBrokenError if error.status >= SERVER_ERROR else SubgraphError
            raise failure(subgraph, f"HTTP {error.status} instead of a WebSocket") from None
        except (aiohttp.ClientError, OSError) as error:
            raise StreamBrokenError(subgraph, f"no connection: {error}", FetchOutcome.UNREACHABLE) from error
        except ValueError as error:
            raise SubgraphError(subgraph, f"a header cannot be sent: {error}") from None


class WebSocketStream:
    """A subscription over its own socket."""

    __slots__ = ("_socket", "_subgraph")

    def __init__(self, subgraph: str, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._subgraph = subgraph
        self._socket = socket

    async def subscribe(self, payload: Mapping[str, str], body: bytes) -> None:
        """Initialises the connection, and subscribes once the subgraph has acknowledged it.

        Raises:
            StreamBrokenError: the connection broke.
            SubgraphError: the subgraph refuses the caller, or does not speak the protocol.
        """
        initial = {"type": "connection_init", **({"payload": payload} if payload else {})}
        try:
            if self._socket.protocol != SUBPROTOCOL:
                raise SubgraphError(self._subgraph, f"the subgraph does not speak {SUBPROTOCOL}")
            await self._send(encode(initial))
            if (await self._receive()).get("type") != "connection_ack":
                raise SubgraphError(self._subgraph, "a message before connection_ack")
            await self._send(b'{"id":"%b","type":"subscribe","payload":%b}' % (OPERATION_ID.encode(), body))
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Closes the socket, which ends the subscription at the subgraph."""
        await self._socket.close()

    async def events(self) -> AsyncGenerator[dict[str, Any], None]:
        """The subgraph's GraphQL responses as they arrive, until it completes the subscription.

        Raises:
            StreamBrokenError: the connection broke.
            SubgraphError: the subgraph closed the socket for good, or violates the protocol.
        """
        while True:
            message = await self._receive()
            payload = message.get("payload")
            match (message.get("type"), message.get("id")):
                case ("next", "1") if isinstance(payload, dict) and is_graphql(payload):
                    yield payload
                case ("error", "1") if is_graphql({"errors": payload}):
                    yield {"data": None, "errors": payload}
                    return
                case ("complete", "1"):
                    return
                case _:
                    raise SubgraphError(self._subgraph, "a message that violates the protocol")

    async def _receive(self) -> dict[str, Any]:
        """The next message other than a ping or a pong."""
        while True:
            message = self._decode(await self._socket.receive())
            match message.get("type"):
                case "ping":
                    await self._send(encode({"type": "pong", "payload": message.get("payload")}))
                case "pong":
                    pass
                case _:
                    return message

    def _decode(self, frame: aiohttp.WSMessage) -> dict[str, Any]:
        if frame.type is not WSMsgType.TEXT and frame.type is not WSMsgType.BINARY:
            raise self._close_error()
        try:
            message = decode_lossy(frame.data if isinstance(frame.data, bytes) else frame.data.encode())
        except InvalidJsonError as error:
            raise SubgraphError(self._subgraph, f"a message that is not JSON: {error}") from None
        if not isinstance(message, dict):
            raise SubgraphError(self._subgraph, "a message that is not a JSON object")
        return message

    def _close_error(self) -> SubgraphError:
        code = self._socket.close_code or WSCloseCode.ABNORMAL_CLOSURE
        failure = StreamBrokenError if code in BROKEN else SubgraphError
        return failure(self._subgraph, f"the socket was closed with {int(code)}")

    async def _send(self, message: bytes) -> None:
        try:
            await self._socket.send_frame(message, WSMsgType.TEXT)
        except aiohttp.ClientError as error:
            raise StreamBrokenError(self._subgraph, f"the connection broke: {error}") from error


def _build_payload(headers: Mapping[str, HeaderValue], context: RequestContext) -> dict[str, str]:
    """The payload of `connection_init`, where servers look for the token and for headers of the client."""
    names = {"authorization", *(name for name, _ in context.headers)}
    return {name: value for name, value in _encode_headers(headers) if name in names}


def _encode_headers(headers: Mapping[str, HeaderValue]) -> list[tuple[str, str]]:
    """The headers for aiohttp, which encodes them in UTF-8 instead of latin-1."""
    return [
        (name, value.encode("latin-1").decode(errors="replace"))
        for name, values in headers.items()
        for value in (values if isinstance(values, tuple) else (values,))
    ]
