"""Streams that outlive their connections: what breaks is opened again, so that the client does not notice.

A numbered stream goes on after the last event seen, so nothing is missing and nothing comes twice; it is
given up when it cannot be had for a while. Another stream may have lost what happened meanwhile: it is opened
again only so many times in its whole life.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from router.telemetry import log
from router.transport.base import RequestContext, StreamSource, Upstream
from router.transport.http import StreamBrokenError
from router.transport.stream_request import StreamRequest

FIRST_DELAY = 0.1
LONGEST_DELAY = 5.0
# A stream that lived for so long was a good one; the next break begins a new count.
SETTLED_SECONDS = 30.0
NUMBERED_ATTEMPTS = 30
OTHER_ATTEMPTS = 5


@dataclass(slots=True)
class _Patience:
    """How often a stream was opened again, and how long to wait before the next time."""

    numbered: bool
    attempts: int = 0
    since: float = field(default_factory=lambda: asyncio.get_running_loop().time())

    def opened(self) -> None:
        self.since = asyncio.get_running_loop().time()

    def progressed(self) -> None:
        if self.numbered:
            self.attempts = 0

    async def again(self, error: StreamBrokenError) -> None:
        """Waits for the next attempt, or raises the error when there is none left."""
        if asyncio.get_running_loop().time() - self.since > SETTLED_SECONDS:
            self.progressed()
        if self.attempts >= (NUMBERED_ATTEMPTS if self.numbered else OTHER_ATTEMPTS):
            raise error
        delay = min(FIRST_DELAY * 2**self.attempts, LONGEST_DELAY)
        self.attempts += 1
        metadata = {"subgraph": error.subgraph, "reason": error.reason, "attempt": self.attempts}
        log.info("A stream is opened again", extra={"metadata": metadata})
        # Streams that broke together come back spread out.
        await asyncio.sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311 - not a secret


async def unbroken(
    source: StreamSource, request: StreamRequest, context: RequestContext
) -> AsyncGenerator[dict[str, Any], None]:
    """The events of a subscription over as many connections as it takes; closing ends it at the subgraph.

    Raises:
        SubgraphError: the first connection fails, or a later one for too long, or an answer is not GraphQL.
    """
    patience = _Patience(request.cursor is not None)
    seen: int | None = None
    upstream = await source.open(request.subgraph, request.body(), context)
    while True:
        resumed_after, events = seen, upstream.events()
        try:
            async for event in events:
                number = request.cursor.position(event) if request.cursor else None
                if number is not None:
                    if resumed_after is not None and number <= resumed_after:
                        continue
                    seen = number
                    patience.progressed()
                yield event
        except StreamBrokenError as error:
            broken = error
        else:
            return
        finally:
            await events.aclose()
            await upstream.close()
        upstream = await _reopened(source, request, context, seen, patience, broken)


async def _reopened(
    source: StreamSource,
    request: StreamRequest,
    context: RequestContext,
    seen: int | None,
    patience: _Patience,
    broken: StreamBrokenError,
) -> Upstream:
    while True:
        await patience.again(broken)
        try:
            upstream = await source.open(request.subgraph, request.body(seen), context)
        except StreamBrokenError as error:
            broken = error
        else:
            patience.opened()
            return upstream
