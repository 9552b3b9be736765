"""GraphQL over WebSocket: the server side of the graphql-transport-ws protocol.

A socket is accepted, initialised once, acknowledged, and then runs any number of operations concurrently. A
violation of the protocol closes the socket with the protocol's code; an error of one operation is an `error`
message for that operation. The socket is also closed when its token expires, so that the client reconnects
with a new one, when it has been idle for long, and when the client does not read what it is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected

from router.admission import Admission
from router.errors import (
    AccessError,
    IdentityUnavailableError,
    RouterError,
    TooManyOperationsError,
    build_internal_error,
)
from router.json_text import encode
from router.pipeline import Pipeline
from router.pipeline.caller import Caller
from router.policy.auth import EXPIRED
from router.server.clients import identify_client
from router.server.messages import (
    Complete,
    ConnectionInit,
    InvalidMessageError,
    Ping,
    Pong,
    Subscribe,
    parse,
)
from router.telemetry import Trace, current_trace, log

SUBPROTOCOL = "graphql-transport-ws"
INIT_TIMEOUT_SECONDS = 10.0
IDLE_SECONDS = 300.0
# How long a message may wait for a client that does not read and whose buffers are full.
SEND_TIMEOUT_SECONDS = 30.0
CLOSE_TIMEOUT_SECONDS = 1.0
# A close reason has at most 123 bytes (RFC 6455 section 5.5).
MAX_REASON_BYTES = 120

NORMAL_CLOSURE = 1000
POLICY_VIOLATION = 1008
INTERNAL_ERROR = 4500
BAD_REQUEST = 4400
UNAUTHORIZED = 4401
FORBIDDEN = 4403
SUBPROTOCOL_NOT_ACCEPTABLE = 4406
INIT_TIMEOUT = 4408
SUBSCRIBER_EXISTS = 4409
TOO_MANY_INITS = 4429


class ProtocolViolationError(Exception):
    """The socket must be closed with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class WebSocketSession:
    """One client's socket, from its handshake to its close.

    A socket outlives supergraphs: each operation starts on the pipeline that is current at that moment.
    """

    def __init__(
        self,
        socket: WebSocket,
        pipeline: Callable[[], Pipeline],
        admission: Admission,
        max_operations: int,
    ) -> None:
        self._socket = socket
        self._pipeline = pipeline
        self._max_operations = max_operations
        self._admission = admission
        self._address = identify_client(socket)
        self._is_initialised = False
        self._caller: Caller | None = None
        self._running: dict[str, asyncio.Task[None]] = {}
        self._deadline = asyncio.timeout(INIT_TIMEOUT_SECONDS)
        self._cancelled: list[asyncio.Task[None]] = []
        self._is_stalled = False
        self._is_ended = False

    async def serve(self) -> None:
        """Speaks the protocol until one side closes the socket, then cancels the running operations."""
        offered = SUBPROTOCOL in self._socket.scope["subprotocols"]
        await self._socket.accept(subprotocol=SUBPROTOCOL if offered else None)
        try:
            if not offered:
                raise ProtocolViolationError(SUBPROTOCOL_NOT_ACCEPTABLE, "Subprotocol not acceptable")
            await self._handle_messages()
        except ProtocolViolationError as violation:
            await self._close(violation.code, violation.reason)
        except InvalidMessageError as error:
            await self._close(BAD_REQUEST, str(error))
        except WebSocketDisconnect:
            pass
        finally:
            self._cancel_operations()
            await asyncio.gather(*self._cancelled, return_exceptions=True)

    async def _handle_messages(self) -> None:
        try:
            async with self._deadline:
                while True:
                    message = await self._receive()
                    await self._admission.enter(self._address)
                    await self._handle(message)
                    self._extend_deadline()
        except TimeoutError:
            raise self._build_timeout_error() from None
        finally:
            self._is_ended = True

    def _extend_deadline(self) -> None:
        """Reschedules the end of an initialised socket: when its token expires, or after its idle timeout."""
        if self._caller is None or self._is_ended:
            return
        remaining = self._caller.get_remaining_seconds()
        limits = [remaining] if remaining is not None else []
        if not self._running:
            limits.append(IDLE_SECONDS)
        now = asyncio.get_running_loop().time()
        self._deadline.reschedule(now + min(limits) if limits else None)

    def _build_timeout_error(self) -> ProtocolViolationError:
        """The code and reason of a socket whose deadline has passed."""
        if self._caller is None:
            return ProtocolViolationError(INIT_TIMEOUT, "Connection initialisation timeout")
        if self._is_stalled:
            return ProtocolViolationError(POLICY_VIOLATION, "Client reads too slowly")
        if self._is_expired():
            return ProtocolViolationError(FORBIDDEN, f"Forbidden: {EXPIRED}")
        return ProtocolViolationError(NORMAL_CLOSURE, "Idle timeout")

    def _is_expired(self) -> bool:
        remaining = self._caller.get_remaining_seconds() if self._caller else None
        return remaining is not None and remaining <= 0

    async def _receive(self) -> str | bytes:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        text: str | bytes | None = message.get("text")
        return text if text is not None else message["bytes"]

    async def _handle(self, text: str | bytes) -> None:
        match parse(text):
            case ConnectionInit(payload):
                await self._initialise(payload)
            case Ping(payload):
                await self._send(
                    {"type": "pong"} if payload is None else {"type": "pong", "payload": payload}
                )
            case Pong():
                pass
            case Subscribe() as message:
                await self._start(message)
            case Complete(identifier):
                self._stop(identifier)

    async def _initialise(self, payload: Mapping[str, Any]) -> None:
        if self._is_initialised:
            raise ProtocolViolationError(TOO_MANY_INITS, "Too many initialisation requests")
        self._is_initialised = True
        try:
            authorization = _read_authorization(payload, self._socket)
            headers = self._socket.headers
            self._caller = await self._pipeline().identify(authorization, headers, self._address, payload)
        except AccessError as error:
            raise ProtocolViolationError(FORBIDDEN, f"Forbidden: {error.message}") from None
        except IdentityUnavailableError as error:
            raise ProtocolViolationError(INTERNAL_ERROR, error.message) from None
        await self._send({"type": "connection_ack"})

    async def _start(self, message: Subscribe) -> None:
        if self._caller is None:
            raise ProtocolViolationError(UNAUTHORIZED, "Unauthorized")
        if message.id in self._running:
            raise ProtocolViolationError(SUBSCRIBER_EXISTS, f"Subscriber for {message.id} already exists")
        if len(self._running) >= self._max_operations:
            limit = f"{self._max_operations} operations are already running on this socket."
            error = TooManyOperationsError(limit)
            await self._send({"id": message.id, "type": "error", "payload": error.to_errors()})
            return
        task = asyncio.create_task(self._run(message, self._caller))
        self._running[message.id] = task

    def _stop(self, identifier: str) -> None:
        task = self._running.pop(identifier, None)
        if task is not None:
            task.cancel()

    async def _run(self, message: Subscribe, caller: Caller) -> None:
        pipeline = self._pipeline()
        with pipeline.tracer.trace_socket_operation(self._socket.headers) as trace:
            current_trace.set(trace)
            try:
                last = await self._stream(pipeline, message, caller, trace)
            except RouterError as error:
                last = {"type": "error", "payload": error.to_errors()}
            except WebSocketDisconnect:
                return
            except Exception:  # noqa: BLE001 - the last resort: logged with its traceback, masked for clients
                log.exception("An operation over WebSocket failed")
                last = {"type": "error", "payload": [build_internal_error(trace.trace_id)]}
            await self._finish(message.id, last)

    async def _stream(
        self, pipeline: Pipeline, message: Subscribe, caller: Caller, trace: Trace
    ) -> dict[str, Any]:
        """Sends the results of an operation; returns its last message, without the id."""
        operation = await pipeline.open(message.request, caller, trace)
        results = operation.results()
        try:
            async for ready in results:
                for result in ready:
                    if "errors" in result and "data" not in result:
                        return {"type": "error", "payload": result["errors"]}
                    await self._send({"id": message.id, "type": "next", "payload": result})
        finally:
            await results.aclose()
        return {"type": "complete"}

    async def _finish(self, identifier: str, last: dict[str, Any]) -> None:
        # The id is released before the client reads the completion, as it may reuse it at once.
        self._running.pop(identifier, None)
        self._extend_deadline()
        # Clients resubscribe after a close, but not after an error: an expired token only closes the socket.
        if self._is_expired():
            return
        try:
            await self._send({"id": identifier, **last})
        except WebSocketDisconnect:
            return

    async def _send(self, message: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
                await self._socket.send_text(encode(message).decode())
        except TimeoutError:
            self._is_stalled = True
            if not self._is_ended:
                self._deadline.reschedule(0)
            raise WebSocketDisconnect from None
        except WebSocketDisconnected:
            # Another operation has noticed that the client is gone before the socket reports it.
            raise WebSocketDisconnect from None

    async def _close(self, code: int, reason: str) -> None:
        self._cancel_operations()
        short = reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
                await self._socket.close(code, short)
        except (RuntimeError, TimeoutError, WebSocketDisconnect):
            return

    def _cancel_operations(self) -> None:
        while self._running:
            _, task = self._running.popitem()
            task.cancel()
            self._cancelled.append(task)


def _read_authorization(payload: Mapping[str, Any], socket: WebSocket) -> str | None:
    """The Authorization header, from the `connection_init` payload or the handshake.

    Browsers can set no header of the handshake.
    """
    for name, value in payload.items():
        if name.lower() == "authorization" and isinstance(value, str) and value:
            return value
    return socket.headers.get("authorization")
