"""Throttling: after a 429 with `retry-after`, a caller's fetches to the subgraph fail until then."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from router.transport.base import FetchFailure, FetchOutcome, RequestContext, Transport

MAX_CALLERS = 10_000


class Throttling:
    """Remembers the `retry-after` of the most recently throttled callers, up to `MAX_CALLERS`."""

    def __init__(self, inner: Transport, clock: Callable[[], float] = time.monotonic) -> None:
        self._inner = inner
        self._clock = clock
        self._until: OrderedDict[int, float] = OrderedDict()

    async def fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
        """The response, or a failure at once while the caller is throttled."""
        if self._until and (remaining := self._compute_remaining(_build_key(subgraph, context))) > 0:
            return FetchFailure(subgraph, FetchOutcome.THROTTLED, math.ceil(remaining))
        response = await self._inner.fetch(subgraph, body, context)
        if (
            isinstance(response, FetchFailure)
            and response.outcome is FetchOutcome.THROTTLED
            and response.retry_after
        ):
            self._throttle(_build_key(subgraph, context), response.retry_after)
        return response

    def _compute_remaining(self, key: int) -> float:
        until = self._until.get(key)
        if until is None:
            return 0.0
        remaining = until - self._clock()
        if remaining <= 0:
            del self._until[key]
        return remaining

    def _throttle(self, key: int, seconds: float) -> None:
        self._until[key] = self._clock() + seconds
        self._until.move_to_end(key)
        if len(self._until) > MAX_CALLERS:
            self._until.popitem(last=False)


def _build_key(subgraph: str, context: RequestContext) -> int:
    """A caller at a subgraph; a hash, because headers may be long."""
    return hash((subgraph, context.caller))
