"""Retries of queries, under a budget that prevents them from overloading a failing subgraph."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

from router.telemetry import Metrics
from router.transport.base import FetchFailure, FetchOutcome, RequestContext, Transport
from router.transport.request_body import is_mutation

RETRIED = frozenset(
    {FetchOutcome.UNREACHABLE, FetchOutcome.BROKEN, FetchOutcome.UNAVAILABLE, FetchOutcome.TOO_EARLY}
)
# The initial and maximum balance of a budget, in retries.
MAX_BALANCE = 10.0
FIRST_DELAY_SECONDS = 0.05
# A longer `retry-after` is not waited for, but passed on to the client.
MAX_DELAY_SECONDS = 2.0


class RetryBudget:
    """Each fetch earns a share of a retry, and each retry costs a whole one; the balance is bounded."""

    def __init__(self, share: float, max_balance: float = MAX_BALANCE) -> None:
        self._share = share
        self._max_balance = max_balance
        self._balance = max_balance

    def earn(self) -> None:
        """Credits a fetch."""
        if self._balance < self._max_balance:
            self._balance = min(self._max_balance, self._balance + self._share)

    def spend(self) -> bool:
        """Debits a retry; false if the balance does not cover it."""
        if self._balance < 1:
            return False
        self._balance -= 1
        return True


class Retries:
    """Retries queries whose outcome allows it, as long as the budget and the deadline do."""

    def __init__(self, inner: Transport, attempts: int, share: float, metrics: Metrics) -> None:
        self._inner = inner
        self._attempts = attempts
        self._share = share
        self._metrics = metrics
        self._budgets: dict[str, RetryBudget] = {}

    async def fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
        """The first successful response, or the last failure."""
        budget = self._budgets.get(subgraph)
        if budget is None:
            budget = self._budgets[subgraph] = RetryBudget(self._share)
        budget.earn()
        response = await self._inner.fetch(subgraph, body, context)
        if not isinstance(response, FetchFailure) or is_mutation(body):
            return response
        for attempt in range(self._attempts):
            if not (isinstance(response, FetchFailure) and response.outcome in RETRIED):
                break
            delay = max(_compute_delay(attempt), response.retry_after or 0)
            if not _is_in_time(context, delay) or not budget.spend():
                break
            await asyncio.sleep(delay)
            self._metrics.retries.labels(subgraph).inc()
            response = await self._inner.fetch(subgraph, body, context)
        return response


def _compute_delay(attempt: int) -> float:
    """The delay before an attempt in seconds: exponential backoff with jitter."""
    return FIRST_DELAY_SECONDS * 2.0**attempt * random.uniform(0.5, 1.5)  # noqa: S311 - jitter, not a secret


def _is_in_time(context: RequestContext, delay: float) -> bool:
    if delay > MAX_DELAY_SECONDS:
        return False
    return context.deadline is None or time.monotonic() + delay < context.deadline
