"""The single connection mode of graphql-sse: one event stream carries the results of many operations.

A client reserves a stream, opens it with the token it gets, and sends each operation in a separate request.
The token opens the stream once: a browser's EventSource can send no header, and a token in a proxy's log must
be worthless afterwards. Starting or stopping an operation takes the token and the caller that reserved the
stream, identified by the subject of its bearer token, so that a renewed token works too.

A stream lives in the process that reserved it, so a load balancer must route each client to one router.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import Any, TypeAlias

from starlette.requests import Request

from router.errors import ConflictError, StreamNotFoundError, TooManyOperationsError
from router.json_text import encode
from router.pipeline.caller import Caller
from router.server.streaming import EVENTS, Framing, Results

TOKEN_HEADER = "x-graphql-event-stream-token"  # noqa: S105 - the name of a header
TOKEN_PARAMETER = "token"  # noqa: S105 - the name of a parameter
OPERATION_PARAMETER = "operationId"
OPEN_TIMEOUT_SECONDS = 10.0

_Message: TypeAlias = dict[str, Any]


def _frame_message(message: _Message) -> bytes:
    name = b"next" if "payload" in message else b"complete"
    return b"event: " + name + b"\ndata: " + encode(message) + b"\n\n"


# The stream itself never completes: it ends when its client disconnects.
MESSAGES = Framing(EVENTS.headers, EVENTS.head, EVENTS.heartbeat, _frame_message, b"")


class EventStream:
    """A reserved stream, and the operations whose results it carries.

    An operation waits until its last result has been read, as with a connection of its own; before the stream
    is opened, it waits for that.
    """

    def __init__(
        self, owner: str | None, client: str, max_operations: int, on_end: Callable[[], None]
    ) -> None:
        self.owner = owner
        self.client = client
        self._max_operations = max_operations
        self._on_end = on_end
        self._operations: dict[str, asyncio.Task[None] | None] = {}
        self._messages: asyncio.Queue[_Message] = asyncio.Queue(maxsize=1)

    @contextmanager
    def claim(self, identifier: str) -> Iterator[None]:
        """Claims an id for an operation that is about to start; released if that fails.

        Raises:
            ConflictError: another operation has the id.
            TooManyOperationsError: the stream's limit is reached.
        """
        if identifier in self._operations:
            raise ConflictError(f"An operation with the id {identifier!r} is already running.")
        if len(self._operations) >= self._max_operations:
            message = f"{self._max_operations} operations are already running on this stream."
            raise TooManyOperationsError(message)
        self._operations[identifier] = None
        try:
            yield
        except BaseException:
            self.stop(identifier)
            raise

    def start(self, identifier: str, results: Results) -> None:
        """Starts to send the results of an operation, unless it was stopped since its id was claimed."""
        if identifier in self._operations and self._operations[identifier] is None:
            self._operations[identifier] = asyncio.create_task(self._send(identifier, results))

    def stop(self, identifier: str) -> None:
        """Stops an operation, if it is running."""
        task = self._operations.pop(identifier, None)
        if task is not None:
            task.cancel()

    def __aiter__(self) -> EventStream:
        return self

    async def __anext__(self) -> list[_Message]:
        return [await self._messages.get()]

    async def aclose(self) -> None:
        """Ends the stream, because its client has disconnected."""
        self.end()

    def end(self) -> None:
        """Ends the stream and its operations."""
        self._on_end()
        for identifier in list(self._operations):
            self.stop(identifier)

    async def _send(self, identifier: str, results: Results) -> None:
        async with aclosing(results):
            async for ready in results:
                for result in ready:
                    await self._messages.put({"id": identifier, "payload": result})
        await self._messages.put({"id": identifier})
        # The id is released before the client reads the completion, as it may reuse it at once.
        del self._operations[identifier]


class EventStreams:
    """The open and the reserved streams of this process.

    `max_reserved` bounds the streams not opened yet, and `max_reserved_per_client` those of a client.
    """

    def __init__(self, max_reserved: int, max_reserved_per_client: int, max_operations: int) -> None:
        self._max_reserved = max_reserved
        self._max_reserved_per_client = max_reserved_per_client
        self._max_operations = max_operations
        self._streams: dict[str, EventStream] = {}
        self._expiries: dict[str, asyncio.TimerHandle] = {}
        self._reserved: dict[str, dict[str, None]] = {}
        """The tokens of the streams not opened yet, by client, the oldest first."""

    def reserve(self, caller: Caller) -> str:
        """Reserves a stream; returns its token. The stream ends if it is not opened in time.

        At the limit, the oldest reserved stream of the client that has most of them ends.
        """
        own = self._reserved.get(caller.client, {})
        if len(own) >= self._max_reserved_per_client:
            self._streams[next(iter(own))].end()
        elif len(self._expiries) >= self._max_reserved:
            largest = max(self._reserved.values(), key=len)
            self._streams[next(iter(largest))].end()
        token = secrets.token_urlsafe(32)
        stream = EventStream(
            _identify_owner(caller), caller.client, self._max_operations, lambda: self._remove(token)
        )
        self._streams[token] = stream
        self._reserved.setdefault(caller.client, {})[token] = None
        self._expiries[token] = asyncio.get_running_loop().call_later(OPEN_TIMEOUT_SECONDS, stream.end)
        return token

    def open(self, token: str | None, caller: Caller) -> EventStream:
        """Opens a reserved stream, once; without other credentials the token suffices.

        Raises:
            StreamNotFoundError: the token has no stream, or another caller's.
            ConflictError: the stream is already open.
        """
        stream = self._find(token) if caller.authorization is None else self.get(token, caller)
        if not self._end_reservation(token or "", stream.client):
            raise ConflictError("The stream is already open.")
        return stream

    def get(self, token: str | None, caller: Caller) -> EventStream:
        """The stream that a caller reserved.

        Raises:
            StreamNotFoundError: the token has no stream, or another caller's.
        """
        stream = self._find(token)
        if stream.owner != _identify_owner(caller):
            raise StreamNotFoundError("There is no such stream.")
        return stream

    def _find(self, token: str | None) -> EventStream:
        stream = self._streams.get(token or "")
        if stream is None:
            raise StreamNotFoundError("There is no such stream.")
        return stream

    def _remove(self, token: str) -> None:
        if stream := self._streams.pop(token, None):
            self._end_reservation(token, stream.client)

    def _end_reservation(self, token: str, client: str) -> bool:
        """Ends a stream's reservation; false if it has none."""
        expiry = self._expiries.pop(token, None)
        if expiry is None:
            return False
        expiry.cancel()
        del self._reserved[client][token]
        if not self._reserved[client]:
            del self._reserved[client]
        return True


def read_stream_token(request: Request) -> str | None:
    """The token of a request's stream, from its header or URL; None if it has none."""
    token = request.headers.get(TOKEN_HEADER)
    if token is None and request.scope["query_string"]:
        return request.query_params.get(TOKEN_PARAMETER)
    return token


def _identify_owner(caller: Caller) -> str | None:
    return caller.identity.subject if caller.identity else caller.authorization
