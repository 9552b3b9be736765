"""Results streamed over HTTP: as Server-Sent Events, or as the parts of a multipart answer.

Events are the distinct-connections mode of the graphql-sse protocol; their lines end in LF, because clients
split events on two of them. Parts are those of the multipart subscription protocol, or those of incremental
delivery, which does not know heartbeats; each is followed by its delimiter at once, because a client reads a
part as whole only then. A silent stream speaks at once and then at every heartbeat, so that neither proxies
nor clients give it up.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

HEARTBEAT_SECONDS = 12.0
PART_HEAD = b"\r\ncontent-type: application/json\r\n\r\n"
DELIMITER = b"\r\n--graphql"

Results = AsyncGenerator[dict[str, Any], None]


@dataclass(frozen=True, slots=True)
class Framing:
    """How results become bytes: what begins a stream, keeps it alive, carries a result and ends it."""

    content_type: str
    head: bytes
    heartbeat: bytes
    frame: Callable[[dict[str, Any]], bytes]
    tail: bytes


def _event(result: dict[str, Any]) -> bytes:
    return b"event: next\ndata: " + orjson.dumps(result) + b"\n\n"


def _part(content: dict[str, Any]) -> bytes:
    return PART_HEAD + orjson.dumps(content) + DELIMITER


def _payload_part(result: dict[str, Any]) -> bytes:
    # What is wrong with the stream stands beside the payload, what is wrong with one event within it.
    return _part({"payload": result} if "data" in result else {"payload": None, **result})


EVENTS = Framing(
    "text/event-stream; charset=utf-8", b":\n\n", b":\n\n", _event, b"event: complete\ndata: \n\n"
)
PARTS = Framing(
    'multipart/mixed;boundary="graphql";subscriptionSpec=1.0',
    DELIMITER + _part({}),
    _part({}),
    _payload_part,
    b"--\r\n",
)
INCREMENTS = Framing(
    'multipart/mixed;boundary="graphql";incrementalSpec=v0.2', DELIMITER, b"", _part, PARTS.tail
)


class StreamResponse(Response):
    """A response that carries results, and closes their source as soon as the client goes."""

    def __init__(self, results: Results, framing: Framing) -> None:
        super().__init__(
            headers={
                "content-type": framing.content_type,
                "cache-control": "no-cache, no-transform",
                "x-accel-buffering": "no",
            }
        )
        del self.headers["content-length"]
        self._results = results
        self._framing = framing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Streams until the source ends or the client goes."""
        gone = asyncio.ensure_future(_gone(receive))
        body = encode(self._results, self._framing, gone)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            async for chunk in body:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()
            await body.aclose()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def encode(
    results: Results,
    framing: Framing,
    gone: asyncio.Future[None],
    heartbeat: float = HEARTBEAT_SECONDS,
) -> AsyncGenerator[bytes, None]:
    """The bytes of a stream, with a heartbeat whenever nothing happened for so many seconds."""
    pending = asyncio.ensure_future(anext(results, None))
    try:
        yield framing.head
        while True:
            either: set[asyncio.Future[Any]] = {pending, gone}
            await asyncio.wait(either, timeout=heartbeat, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                return
            if not pending.done():
                if framing.heartbeat:
                    yield framing.heartbeat
                continue
            result = pending.result()
            if result is None:
                yield framing.tail
                return
            yield framing.frame(result)
            pending = asyncio.ensure_future(anext(results, None))
    finally:
        pending.cancel()
        await asyncio.wait({pending})
        await results.aclose()
