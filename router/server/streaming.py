"""Results streamed over HTTP: as Server-Sent Events, or as the parts of a multipart answer.

Events are the distinct-connections mode of the graphql-sse protocol; their lines end in LF, because clients
split events on two of them. Parts are those of the multipart subscription protocol, or those of incremental
delivery, which does not know heartbeats; each is followed by its delimiter at once, because a client reads a
part as whole only then. A stream speaks at once and then at every heartbeat, so that neither proxies nor
clients give it up.
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
    """What a stream carries; an async generator is such a thing."""

    def __aiter__(self) -> AsyncIterator[dict[str, Any]]: ...

    async def aclose(self) -> None:
        """Ends the source."""
        ...


@dataclass(frozen=True, slots=True)
class Framing:
    """How results become bytes: what begins a stream, keeps it alive, carries a result and ends it."""

    headers: Sequence[tuple[bytes, bytes]]
    head: bytes
    heartbeat: bytes
    frame: Callable[[dict[str, Any]], bytes]
    tail: bytes


def _headers(content_type: bytes) -> Sequence[tuple[bytes, bytes]]:
    return (
        (b"content-type", content_type),
        (b"cache-control", b"no-cache, no-transform"),
        (b"x-accel-buffering", b"no"),
    )


def _event(result: dict[str, Any]) -> bytes:
    return b"event: next\ndata: " + encode(result) + b"\n\n"


def _part(content: dict[str, Any]) -> bytes:
    return PART_HEAD + encode(content) + DELIMITER


def _payload_part(result: dict[str, Any]) -> bytes:
    # What is wrong with the stream stands beside the payload, what is wrong with one event within it.
    return _part({"payload": result} if "data" in result else {"payload": None, **result})


EVENTS = Framing(
    _headers(b"text/event-stream; charset=utf-8"),
    b":\n\n",
    b":\n\n",
    _event,
    b"event: complete\ndata: \n\n",
)
PARTS = Framing(
    _headers(b'multipart/mixed;boundary="graphql";subscriptionSpec=1.0'),
    DELIMITER + _part({}),
    _part({}),
    _payload_part,
    b"--\r\n",
)
INCREMENTS = Framing(
    _headers(b'multipart/mixed;boundary="graphql";incrementalSpec=v0.2'), DELIMITER, b"", _part, PARTS.tail
)


async def refused(error: RouterError) -> AsyncGenerator[dict[str, Any], None]:
    """What a stream carries where the operation is refused: clients of streams read errors nowhere else."""
    yield error.response()


class StreamResponse:
    """An ASGI answer that carries results, and closes their source as soon as the client goes.

    It lives as long as a subscription, so it keeps little: the task of the request waits for the client to go
    and sends heartbeats meanwhile, another one sends what comes.
    """

    __slots__ = ("_framing", "_results", "_turn")

    status_code = 200

    def __init__(self, results: Results, framing: Framing) -> None:
        self._results = results
        self._framing = framing
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Streams until the source ends or the client goes."""
        try:
            async with asyncio.TaskGroup() as tasks:
                sending = tasks.create_task(self._send(send))
                while not await _gone(receive, HEARTBEAT_SECONDS):
                    async with self._turn:
                        if self._framing.heartbeat and not sending.done():
                            await send(_chunk(self._framing.heartbeat))
                sending.cancel()
        finally:
            await self._results.aclose()

    async def _send(self, send: Send) -> None:
        framing = self._framing
        await send({"type": "http.response.start", "status": self.status_code, "headers": framing.headers})
        await send(_chunk(framing.head))
        async for result in self._results:
            async with self._turn:
                await send(_chunk(framing.frame(result)))
        async with self._turn:
            await send(_chunk(framing.tail, more=False))


async def _gone(receive: Receive, seconds: float) -> bool:
    """Whether the client goes within so many seconds, or has all that it asked for."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    return True


def _chunk(body: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}
