"""Single connection mode of the graphql-sse protocol: one event stream carries many operations' results.

A client reserves a stream, opens it with the token it is given, and sends each operation in a request of its
own. The token is a ticket that opens the stream once: a browser's EventSource can show nothing else, and what
it leaves in the logs of proxies is worth nothing afterwards. To run or to end an operation takes the token
and the caller who reserved, known by the subject of a verified token, so that a renewed one will do.

A stream lives in the process that reserved it: a load balancer must keep each client on one router.
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
OPENED_WITHIN_SECONDS = 10.0

_Message: TypeAlias = dict[str, Any]


def _event(message: _Message) -> bytes:
    name = b"next" if "payload" in message else b"complete"
    return b"event: " + name + b"\ndata: " + encode(message) + b"\n\n"


# The stream itself never completes: it ends with its client.
MESSAGES = Framing(EVENTS.headers, EVENTS.head, EVENTS.heartbeat, _event, b"")


class EventStream:
    """One reserved stream, and the operations whose results it carries.

    Each operation waits until its result is read before it goes on, as if it had a connection of its own; so
    what is sent before the stream is opened waits for that.
    """

    def __init__(
        self, owner: str | None, client: str, max_operations: int, ended: Callable[[], None]
    ) -> None:
        self.owner = owner
        self.client = client
        self._max_operations = max_operations
        self._ended = ended
        self._operations: dict[str, asyncio.Task[None] | None] = {}
        self._messages: asyncio.Queue[_Message] = asyncio.Queue(maxsize=1)

    @contextmanager
    def claimed(self, identifier: str) -> Iterator[None]:
        """Keeps an id for an operation that is about to start; it is free again if that fails.

        Raises:
            ConflictError: another operation has it.
            TooManyOperationsError: as many run as may.
        """
        if identifier in self._operations:
            raise ConflictError(f"An operation with the id {identifier!r} runs already.")
        if len(self._operations) >= self._max_operations:
            raise TooManyOperationsError(f"{self._max_operations} operations already run on this stream.")
        self._operations[identifier] = None
        try:
            yield
        except BaseException:
            self.stop(identifier)
            raise

    def start(self, identifier: str, results: Results) -> None:
        """Sends the results of an operation, unless it was stopped since its id was claimed."""
        if identifier in self._operations and self._operations[identifier] is None:
            self._operations[identifier] = asyncio.create_task(self._send(identifier, results))

    def stop(self, identifier: str) -> None:
        """Ends an operation, if it still runs."""
        task = self._operations.pop(identifier, None)
        if task is not None:
            task.cancel()

    def __aiter__(self) -> EventStream:
        return self

    async def __anext__(self) -> _Message:
        return await self._messages.get()

    async def aclose(self) -> None:
        """Ends the stream, which has no end of its own, and all that runs on it."""
        self.end()

    def end(self) -> None:
        """Ends the stream and all that runs on it."""
        self._ended()
        for identifier in list(self._operations):
            self.stop(identifier)

    async def _send(self, identifier: str, results: Results) -> None:
        async with aclosing(results):
            async for result in results:
                await self._messages.put({"id": identifier, "payload": result})
        await self._messages.put({"id": identifier})
        # The id is free before the client reads that the operation ended, as it may use it again at once.
        del self._operations[identifier]


class EventStreams:
    """The streams of this process: those that are open, and those that wait to be opened.

    Of those that wait, `max_reserved` bounds all together and `max_reserved_per_client` those of one client.
    """

    def __init__(self, max_reserved: int, max_reserved_per_client: int, max_operations: int) -> None:
        self._max_reserved = max_reserved
        self._max_reserved_per_client = max_reserved_per_client
        self._max_operations = max_operations
        self._streams: dict[str, EventStream] = {}
        self._expiries: dict[str, asyncio.TimerHandle] = {}
        self._reserved: dict[str, dict[str, None]] = {}
        """The tokens of those that wait to be opened, by client, the oldest first."""

    def reserve(self, caller: Caller) -> str:
        """The token of a new stream, which is given up if it is not opened in time.

        Where as many wait to be opened as may, the oldest of the client who has most of them had the longest
        time, and is given up.
        """
        own = self._reserved.get(caller.client, {})
        if len(own) >= self._max_reserved_per_client:
            self._streams[next(iter(own))].end()
        elif len(self._expiries) >= self._max_reserved:
            most = max(self._reserved.values(), key=len)
            self._streams[next(iter(most))].end()
        token = secrets.token_urlsafe(32)
        stream = EventStream(_owner(caller), caller.client, self._max_operations, lambda: self._forget(token))
        self._streams[token] = stream
        self._reserved.setdefault(caller.client, {})[token] = None
        self._expiries[token] = asyncio.get_running_loop().call_later(OPENED_WITHIN_SECONDS, stream.end)
        return token

    def open(self, token: str | None, caller: Caller) -> EventStream:
        """The stream that a caller reserved, to be read by whoever shows its token, once.

        Raises:
            StreamNotFoundError: there is none for this token, or it is another caller's.
            ConflictError: it is open already.
        """
        stream = self._known(token) if caller.authorization is None else self.get(token, caller)
        if not self._take_reservation(token or "", stream.client):
            raise ConflictError("The stream is open already.")
        return stream

    def get(self, token: str | None, caller: Caller) -> EventStream:
        """The stream that a caller reserved.

        Raises:
            StreamNotFoundError: there is none for this token, or it is another caller's.
        """
        stream = self._known(token)
        if stream.owner != _owner(caller):
            raise StreamNotFoundError("There is no such stream.")
        return stream

    def _known(self, token: str | None) -> EventStream:
        stream = self._streams.get(token or "")
        if stream is None:
            raise StreamNotFoundError("There is no such stream.")
        return stream

    def _forget(self, token: str) -> None:
        if stream := self._streams.pop(token, None):
            self._take_reservation(token, stream.client)

    def _take_reservation(self, token: str, client: str) -> bool:
        """Ends the time that a stream waits to be opened; false if it does not wait."""
        expiry = self._expiries.pop(token, None)
        if expiry is None:
            return False
        expiry.cancel()
        del self._reserved[client][token]
        if not self._reserved[client]:
            del self._reserved[client]
        return True


def stream_token(request: Request) -> str | None:
    """The token of the stream that a request belongs to, if it belongs to one."""
    token = request.headers.get(TOKEN_HEADER)
    if token is None and request.scope["query_string"]:
        return request.query_params.get(TOKEN_PARAMETER)
    return token


def _owner(caller: Caller) -> str | None:
    return caller.identity.subject if caller.identity else caller.authorization
