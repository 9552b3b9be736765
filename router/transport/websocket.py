"""Subscriptions at the subgraphs over WebSocket: the client side of graphql-transport-ws.

A socket is opened with the headers of one caller, so it carries one subscription; callers who ask the same
with the same headers share a stream before they come here. aiohttp speaks the protocol below: it is a
dependency already, and it asks a silent peer whether it still lives.
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
from router.transport.base import Outcome, RequestContext
from router.transport.event_source import MAX_EVENT_BYTES, SERVER_ERROR, SILENCE_SECONDS
from router.transport.http import (
    NO_RULES,
    StreamBrokenError,
    SubgraphError,
    is_graphql,
    outgoing_headers,
)

SUBPROTOCOL = "graphql-transport-ws"
OPERATION = "1"
# How long a subgraph may take to agree that the socket is closed.
GOODBYE = aiohttp.ClientWSTimeout(ws_close=1.0)
# What ended the connection and not the subscription: servers that stop or restart, proxies that gave up, cut
# lines, and an initialisation that came too late. After any other code the subgraph would only repeat itself.
BROKEN = frozenset({1000, 1001, 1005, 1006, 1011, 1012, 1013, 1014, 4408})


class WebSocketSource:
    """Opens subscriptions at the subgraphs' addresses, each over a socket of its own."""

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

    async def open(self, subgraph: str, body: bytes, context: RequestContext) -> SocketStream:
        """A stream that the subgraph has acknowledged.

        Raises:
            StreamBrokenError: the subgraph cannot be reached, or whatever stands before it says so.
            SubgraphError: it refuses the caller, or does not speak the protocol.
        """
        with self._tracer.trace_fetch(subgraph, "GET", self._addresses[subgraph].url) as trace:
            return await self._open(subgraph, body, context.within(trace))

    async def _open(self, subgraph: str, body: bytes, context: RequestContext) -> SocketStream:
        headers = outgoing_headers(subgraph, context, self._rules, {})
        try:
            async with asyncio.timeout(self._timeout):
                stream = SocketStream(subgraph, await self._connected(subgraph, headers))
                await stream.begin(headers.get("authorization"), body)
        except TimeoutError:
            reason = f"no stream within {self._timeout:g} seconds"
            raise StreamBrokenError(subgraph, reason, Outcome.TIMEOUT) from None
        return stream

    async def _connected(
        self, subgraph: str, headers: Mapping[str, HeaderValue]
    ) -> aiohttp.ClientWebSocketResponse:
        try:
            return await self._session.ws_connect(
                self._addresses[subgraph].url,
                protocols=(SUBPROTOCOL,),
                headers=_pairs(headers),
                ssl=self._addresses[subgraph].tls or True,
                # A pong may take half as long again.
                heartbeat=SILENCE_SECONDS * 2 / 3,
                max_msg_size=MAX_EVENT_BYTES,
                timeout=GOODBYE,
            )
        except aiohttp.WSServerHandshakeError as error:
            failure = StreamBrokenError if error.status >= SERVER_ERROR else SubgraphError
            raise failure(subgraph, f"HTTP {error.status} instead of a socket") from None
        except (aiohttp.ClientError, OSError) as error:
            raise StreamBrokenError(subgraph, f"no socket: {error}", Outcome.UNREACHABLE) from error
        except ValueError as error:
            raise SubgraphError(subgraph, f"a header that cannot be sent: {error}") from None


class SocketStream:
    """One subscription over one socket."""

    __slots__ = ("_socket", "_subgraph")

    def __init__(self, subgraph: str, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._subgraph = subgraph
        self._socket = socket

    async def begin(self, authorization: HeaderValue | None, body: bytes) -> None:
        """Introduces the caller, and subscribes once the subgraph has acknowledged that.

        Raises:
            StreamBrokenError: the socket breaks.
            SubgraphError: the subgraph refuses the caller, or does not speak the protocol.
        """
        payload = {"payload": {"authorization": authorization}} if authorization is not None else {}
        try:
            if self._socket.protocol != SUBPROTOCOL:
                raise SubgraphError(self._subgraph, f"a socket that does not speak {SUBPROTOCOL}")
            await self._send(encode({"type": "connection_init", **payload}))
            if (await self._receive()).get("type") != "connection_ack":
                raise SubgraphError(self._subgraph, "a message before the acknowledgement")
            await self._send(b'{"id":"%b","type":"subscribe","payload":%b}' % (OPERATION.encode(), body))
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Closes the socket, which ends the subscription at the subgraph."""
        await self._socket.close()

    async def events(self) -> AsyncGenerator[dict[str, Any], None]:
        """The subgraph's GraphQL responses as they arrive, until it completes the subscription.

        Raises:
            StreamBrokenError: the socket breaks.
            SubgraphError: the subgraph refuses to go on, or what arrives is not of the protocol.
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
                    raise SubgraphError(self._subgraph, "a message that is not of the protocol")

    async def _receive(self) -> dict[str, Any]:
        """The next message that is about more than whether this side is there."""
        while True:
            message = self._decoded(await self._socket.receive())
            match message.get("type"):
                case "ping":
                    await self._send(encode({"type": "pong", "payload": message.get("payload")}))
                case "pong":
                    pass
                case _:
                    return message

    def _decoded(self, frame: aiohttp.WSMessage) -> dict[str, Any]:
        if frame.type is not WSMsgType.TEXT and frame.type is not WSMsgType.BINARY:
            raise self._closed()
        try:
            message = decode_lossy(frame.data if isinstance(frame.data, bytes) else frame.data.encode())
        except InvalidJsonError as error:
            raise SubgraphError(self._subgraph, f"a message that is not JSON: {error}") from None
        if not isinstance(message, dict):
            raise SubgraphError(self._subgraph, "a message that is not a JSON object")
        return message

    def _closed(self) -> SubgraphError:
        code = self._socket.close_code or WSCloseCode.ABNORMAL_CLOSURE
        failure = StreamBrokenError if code in BROKEN else SubgraphError
        return failure(self._subgraph, f"the socket was closed with {int(code)}")

    async def _send(self, message: bytes) -> None:
        try:
            await self._socket.send_frame(message, WSMsgType.TEXT)
        except aiohttp.ClientError as error:
            raise StreamBrokenError(self._subgraph, f"the socket broke: {error}") from error


def _pairs(headers: Mapping[str, HeaderValue]) -> list[tuple[str, str]]:
    """The headers as aiohttp takes them, which writes text in UTF-8: so are the bytes that a client sent."""
    return [
        (name, value.encode("latin-1").decode(errors="replace"))
        for name, values in headers.items()
        for value in (values if isinstance(values, tuple) else (values,))
    ]
