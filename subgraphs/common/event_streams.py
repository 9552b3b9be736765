"""Responses of subscriptions: Server-Sent Events, closed when the caller disconnects.

When PostgreSQL or Redis is unavailable, the events end without `complete`. The router then opens the
subscription again after the last event that it has seen, with growing pauses, so that its client notices
nothing.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send
from strawberry.http.streaming import SSETransport
from strawberry.types import ExecutionResult

from subgraphs.common.outages import is_outage
from subgraphs.common.telemetry import get_logger


class LineFeedEvents(SSETransport):
    """Server-Sent Events with LF as line end, because some routers cannot parse Strawberry's CRLF."""

    def encode_event(self, event: str, data: str | None = None) -> str:
        """Encode an event."""
        return super().encode_event(event, data).replace("\r\n", "\n")

    def encode_comment(self, comment: str) -> str:
        """Encode a comment, such as a heartbeat."""
        return super().encode_comment(comment).replace("\r\n", "\n")


class ClosingStreamingResponse(StreamingResponse):
    """A response that closes its content when it ends, which Starlette leaves to the garbage collector."""

    def __init__(self, content: AsyncGenerator[str], **options: Any) -> None:
        super().__init__(content, **options)
        self._content = content

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the content, and close it."""
        async with aclosing(self._content):
            await super().__call__(scope, receive, send)


class StreamBroken(Exception):
    """The next event could not be read because a server is unavailable; its cause says which."""


async def break_on_outage(results: AsyncGenerator[ExecutionResult]) -> AsyncGenerator[ExecutionResult]:
    """Yield the results of a subscription; StreamBroken instead of one that failed because of an outage."""
    async with aclosing(results):
        async for result in results:
            causes = [error.original_error for error in result.errors or ()]
            if outage := next(filter(is_outage, causes), None):
                raise StreamBroken from outage
            yield result


async def close_with_stream(
    stream: Callable[[], AsyncGenerator[str]], results: AsyncGenerator[ExecutionResult]
) -> AsyncGenerator[str]:
    """Yield the texts of a stream, and close it together with the results that it encodes.

    Strawberry reads the results in a task of its own, and does not close them when it cancels that task.
    """
    try:
        async with aclosing(results), aclosing(stream()) as texts:
            async for text in texts:
                yield text
    except StreamBroken as broken:
        get_logger().warning("A stream ends because a server is unavailable", error=broken.__cause__)
