"""A subgraph that allows a caller no more requests for a while is not asked again before, for that caller."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from router.transport.base import Failure, Outcome, RequestContext, Transport

MAX_CALLERS = 10_000


class Throttling:
    """Keeps to what subgraphs say in `retry-after`, of the callers who were told last."""

    def __init__(self, inner: Transport, clock: Callable[[], float] = time.monotonic) -> None:
        self._inner = inner
        self._clock = clock
        self._until: OrderedDict[int, float] = OrderedDict()

    async def fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
        """The answer, or a failure at once while the caller has to wait."""
        if self._until and (left := self._left(_key(subgraph, context))) > 0:
            return Failure(subgraph, Outcome.THROTTLED, math.ceil(left))
        answer = await self._inner.fetch(subgraph, body, context)
        if isinstance(answer, Failure) and answer.outcome is Outcome.THROTTLED and answer.retry_after:
            self._wait(_key(subgraph, context), answer.retry_after)
        return answer

    def _left(self, key: int) -> float:
        until = self._until.get(key)
        if until is None:
            return 0.0
        left = until - self._clock()
        if left <= 0:
            del self._until[key]
        return left

    def _wait(self, key: int, seconds: float) -> None:
        self._until[key] = self._clock() + seconds
        self._until.move_to_end(key)
        if len(self._until) > MAX_CALLERS:
            self._until.popitem(last=False)


def _key(subgraph: str, context: RequestContext) -> int:
    """A caller at a subgraph, in few bytes, however long its headers are."""
    return hash((subgraph, context.caller))
