"""Server-Sent Events: the distinct-connections mode of the graphql-sse protocol.

Lines end in LF, because clients split events on two of them. A silent stream speaks at once and then at
every heartbeat, so that neither proxies nor clients give it up.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import orjson
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

HEARTBEAT_SECONDS = 12.0
COMMENT = b":\n\n"
COMPLETE = b"event: complete\ndata: \n\n"
HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
}

Results = AsyncGenerator[dict[str, Any], None]


class EventStreamResponse(StreamingResponse):
    """A streaming response that closes its source before it ends, also when the client went mid-write."""

    def __init__(self, body: AsyncGenerator[bytes, None]) -> None:
        super().__init__(body, headers=HEADERS)
        self._body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Streams until the source ends or the client goes."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._body.aclose()


def event_stream(results: Results, heartbeat: float = HEARTBEAT_SECONDS) -> EventStreamResponse:
    """The HTTP response that carries results as events; closes them when the client goes."""
    return EventStreamResponse(encode(results, heartbeat))


async def encode(results: Results, heartbeat: float = HEARTBEAT_SECONDS) -> AsyncGenerator[bytes, None]:
    """The bytes of an event stream, with a comment whenever nothing happened for a heartbeat."""
    pending = asyncio.ensure_future(anext(results, None))
    try:
        yield COMMENT
        while True:
            await asyncio.wait({pending}, timeout=heartbeat)
            if not pending.done():
                yield COMMENT
                continue
            result = pending.result()
            if result is None:
                yield COMPLETE
                return
            yield b"event: next\ndata: " + orjson.dumps(result) + b"\n\n"
            pending = asyncio.ensure_future(anext(results, None))
    finally:
        pending.cancel()
        await asyncio.wait({pending})
        await results.aclose()
