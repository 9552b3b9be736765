"""Results streamed over HTTP, as Server-Sent Events or as parts of a multipart response.

Events follow the distinct connections mode of graphql-sse; lines end in LF, because some clients split events
at two of them. Parts follow the multipart subscription protocol, or that of incremental delivery, which has
no heartbeats; each is followed by its delimiter at once, because only that completes it for a client. A
stream sends something at once and then at every heartbeat, so that neither proxies nor clients time out.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.types import Receive, Scope, Send

from router.errors import RouterError
from router.json_text import encode

HEARTBEAT_SECONDS = 12.0
PART_HEAD = b"\r\ncontent-type: application/json\r\n\r\n"
DELIMITER = b"\r\n--graphql"


class Results(Protocol):
    """The results of a stream, such as an async generator; those that are ready together come together."""

    def __aiter__(self) -> AsyncIterator[Sequence[dict[str, Any]]]: ...

    async def aclose(self) -> None:
        """Ends the source."""
        ...


@dataclass(frozen=True, slots=True)
class Framing:
    """The wire format of a stream: its headers, start, heartbeat, results and end."""

    headers: Sequence[tuple[bytes, bytes]]
    head: bytes
    heartbeat: bytes
    frame: Callable[[dict[str, Any]], bytes]
    tail: bytes


def _build_headers(content_type: bytes) -> Sequence[tuple[bytes, bytes]]:
    return (
        (b"content-type", content_type),
        (b"cache-control", b"no-cache, no-transform"),
        (b"x-accel-buffering", b"no"),
    )


def _frame_event(result: dict[str, Any]) -> bytes:
    return b"event: next\ndata: " + encode(result) + b"\n\n"


def _frame_part(content: dict[str, Any]) -> bytes:
    return PART_HEAD + encode(content) + DELIMITER


def _frame_payload(result: dict[str, Any]) -> bytes:
    # Errors of the stream are next to the payload, errors of one event are in it.
    return _frame_part({"payload": result} if "data" in result else {"payload": None, **result})


EVENTS = Framing(
    _build_headers(b"text/event-stream; charset=utf-8"),
    b":\n\n",
    b":\n\n",
    _frame_event,
    b"event: complete\ndata: \n\n",
)
PARTS = Framing(
    _build_headers(b'multipart/mixed;boundary="graphql";subscriptionSpec=1.0'),
    DELIMITER + _frame_part({}),
    _frame_part({}),
    _frame_payload,
    b"--\r\n",
)
INCREMENTS = Framing(
    _build_headers(b'multipart/mixed;boundary="graphql";incrementalSpec=v0.2'),
    DELIMITER,
    b"",
    _frame_part,
    PARTS.tail,
)


async def stream_error(error: RouterError) -> AsyncGenerator[Sequence[dict[str, Any]], None]:
    """The single result of an operation that is refused, for clients that only accept a stream."""
    yield [error.to_response()]


class StreamResponse:
    """An ASGI response that streams results, and closes them as soon as the client disconnects.

    It lasts as long as a subscription, so it keeps little: the request's task waits for the disconnect and
    sends heartbeats meanwhile, and another task sends the results.
    """

    __slots__ = ("_framing", "_results", "_send_lock")

    status_code = 200

    def __init__(self, results: Results, framing: Framing) -> None:
        self._results = results
        self._framing = framing
        self._send_lock = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Streams until the results end or the client disconnects."""
        try:
            async with asyncio.TaskGroup() as tasks:
                sending = tasks.create_task(self._send(send))
                while not await _wait_for_disconnect(receive, HEARTBEAT_SECONDS):
                    async with self._send_lock:
                        if self._framing.heartbeat and not sending.done():
                            await send(_build_chunk(self._framing.heartbeat))
                sending.cancel()
        finally:
            await self._results.aclose()

    async def _send(self, send: Send) -> None:
        framing = self._framing
        await send({"type": "http.response.start", "status": self.status_code, "headers": framing.headers})
        await send(_build_chunk(framing.head))
        async for results in self._results:
            async with self._send_lock:
                await send(_build_chunk(b"".join(map(framing.frame, results))))
        async with self._send_lock:
            await send(_build_chunk(framing.tail, more=False))


async def _wait_for_disconnect(receive: Receive, seconds: float) -> bool:
    """Whether the client disconnects, or the response is complete, within so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    return True


def _build_chunk(body: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}
