"""Reconnection of streams: a broken one is reopened, so that the client does not notice.

A resumable stream continues after the last event seen, without gaps or duplicates; it fails when it cannot be
reopened for a while. Any other stream may lose events while it is disconnected, so it is reopened only a
limited number of times in its whole life.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from router.telemetry import log
from router.transport.base import RequestContext, StreamSource, SubgraphStream
from router.transport.http import StreamBrokenError
from router.transport.stream_request import StreamRequest

FIRST_DELAY_SECONDS = 0.1
MAX_DELAY_SECONDS = 5.0
# After this long without a break, the attempts of a resumable stream are counted from zero again.
STABLE_SECONDS = 30.0
MAX_RESUMABLE_ATTEMPTS = 30
MAX_OTHER_ATTEMPTS = 5


@dataclass(slots=True)
class _Backoff:
    """The attempts to reopen a stream, and the delays before them."""

    is_resumable: bool
    attempts: int = 0
    opened_at: float = field(default_factory=lambda: asyncio.get_running_loop().time())

    def record_open(self) -> None:
        self.opened_at = asyncio.get_running_loop().time()

    def record_progress(self) -> None:
        if self.is_resumable:
            self.attempts = 0

    async def wait(self, error: StreamBrokenError) -> None:
        """Waits before the next attempt; raises the error if there is none left."""
        if asyncio.get_running_loop().time() - self.opened_at > STABLE_SECONDS:
            self.record_progress()
        if self.attempts >= (MAX_RESUMABLE_ATTEMPTS if self.is_resumable else MAX_OTHER_ATTEMPTS):
            raise error
        delay = min(FIRST_DELAY_SECONDS * 2**self.attempts, MAX_DELAY_SECONDS)
        self.attempts += 1
        metadata = {"subgraph": error.subgraph, "reason": error.reason, "attempt": self.attempts}
        log.info("A stream is being reopened", extra={"metadata": metadata})
        await asyncio.sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret


async def resume_events(
    source: StreamSource, request: StreamRequest, context: RequestContext, after: int | None = None
) -> AsyncGenerator[dict[str, Any], None]:
    """The events of a subscription, across reconnections; closing the iterator ends it at the subgraph.

    With a cursor, it can begin after a number instead of where the request says.

    Raises:
        SubgraphError: the stream cannot be opened or reopened, or an event is not a GraphQL response.
    """
    backoff = _Backoff(request.cursor is not None)
    seen = after
    upstream = await source.open(request.subgraph, request.encode(after), context)
    while True:
        resumed_after, events = seen, upstream.events()
        try:
            async for event in events:
                number = request.read_position(event)
                if number is not None:
                    if resumed_after is not None and number <= resumed_after:
                        continue
                    seen = number
                    backoff.record_progress()
                yield event
        except StreamBrokenError as error:
            broken = error
        else:
            return
        finally:
            await events.aclose()
            await upstream.close()
        upstream = await _reopen(source, request, context, seen, backoff, broken)


async def _reopen(
    source: StreamSource,
    request: StreamRequest,
    context: RequestContext,
    seen: int | None,
    backoff: _Backoff,
    broken: StreamBrokenError,
) -> SubgraphStream:
    while True:
        await backoff.wait(broken)
        try:
            upstream = await source.open(request.subgraph, request.encode(seen), context)
        except StreamBrokenError as error:
            broken = error
        else:
            backoff.record_open()
            return upstream
