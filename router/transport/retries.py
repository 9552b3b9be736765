"""Retries of queries, under a budget that keeps them from burdening a subgraph that is in trouble already."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

from router.telemetry import Metrics
from router.transport.base import Failure, Outcome, RequestContext, Transport
from router.transport.request_body import is_mutation

RETRIED = frozenset({Outcome.UNREACHABLE, Outcome.BROKEN, Outcome.UNAVAILABLE, Outcome.TOO_EARLY})
# What a quiet router may retry before its fetches have earned anything.
RESERVE = 10.0
FIRST_PAUSE_SECONDS = 0.05
# A subgraph that asks for more is not waited for; the client reads when to come back.
LONGEST_PAUSE_SECONDS = 2.0


class Budget:
    """Each fetch earns a share of a retry, and a retry costs a whole one; what is saved up is bounded."""

    def __init__(self, share: float, reserve: float = RESERVE) -> None:
        self._share = share
        self._reserve = reserve
        self._saved = reserve

    def earn(self) -> None:
        """Counts a fetch."""
        if self._saved < self._reserve:
            self._saved = min(self._reserve, self._saved + self._share)

    def spend(self) -> bool:
        """Whether one retry may be made; if so, it is paid."""
        if self._saved < 1:
            return False
        self._saved -= 1
        return True


class Retries:
    """Sends a query again that found no subgraph, as long as budget and time allow it."""

    def __init__(self, inner: Transport, attempts: int, share: float, metrics: Metrics) -> None:
        self._inner = inner
        self._attempts = attempts
        self._share = share
        self._metrics = metrics
        self._budgets: dict[str, Budget] = {}

    async def fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
        """The first answer that is one, or the last failure."""
        budget = self._budgets.get(subgraph)
        if budget is None:
            budget = self._budgets[subgraph] = Budget(self._share)
        budget.earn()
        answer = await self._inner.fetch(subgraph, body, context)
        if not isinstance(answer, Failure) or is_mutation(body):
            return answer
        for attempt in range(self._attempts):
            if not (isinstance(answer, Failure) and answer.outcome in RETRIED):
                break
            pause = max(_pause(attempt), answer.retry_after or 0)
            if not _in_time(context, pause) or not budget.spend():
                break
            await asyncio.sleep(pause)
            self._metrics.retries.labels(subgraph).inc()
            answer = await self._inner.fetch(subgraph, body, context)
        return answer


def _pause(attempt: int) -> float:
    """How long to wait before an attempt: longer each time, and never the same for all that wait."""
    return FIRST_PAUSE_SECONDS * 2.0**attempt * random.uniform(0.5, 1.5)  # noqa: S311 - spreads load, hides nothing


def _in_time(context: RequestContext, pause: float) -> bool:
    if pause > LONGEST_PAUSE_SECONDS:
        return False
    return context.deadline is None or time.monotonic() + pause < context.deadline
