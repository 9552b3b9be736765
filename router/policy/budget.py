"""How much the operations of one caller may cost in a minute, counted in a Redis that routers share.

A minute is one of the clock's, so that a caller knows when the next one begins. A Redis that does not answer
in time holds nobody up: what is asked meanwhile is answered uncounted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from hashlib import sha256

from redis.asyncio import Redis
from redis.exceptions import RedisError

from router.errors import CostBudgetError
from router.telemetry import log

PREFIX = "router:cost:"
MINUTE = 60
TIMEOUT_SECONDS = 0.2
# How long a Redis that did not answer is left alone, as each attempt would cost an operation the time above.
PAUSE_SECONDS = 1.0


class RedisCostBudget:
    """What each caller has spent in this minute."""

    def __init__(self, url: str, limit: int, clock: Callable[[], float] = time.time) -> None:
        self._redis = Redis.from_url(
            url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
        )
        self._limit = limit
        self._clock = clock
        self._paused_until = 0.0

    async def spend(self, client: str, cost: int) -> None:
        """Counts what an operation is estimated to cost.

        Raises:
            CostBudgetError: it is more than is left of the caller's budget.
        """
        now = self._clock()
        if now < self._paused_until:
            return
        minute, gone = divmod(int(now), MINUTE)
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                spent = await self._add(f"{PREFIX}{_named(client)}:{minute}", cost)
        except (RedisError, OSError, TimeoutError) as error:
            self._paused_until = now + PAUSE_SECONDS
            log.warning("Costs are not counted", extra={"metadata": {"reason": repr(error)}})
            return
        if spent > self._limit:
            raise CostBudgetError(cost, self._limit, MINUTE - gone)

    async def _add(self, key: str, cost: int) -> int:
        async with self._redis.pipeline(transaction=False) as commands:
            spent, _ = await commands.incrby(key, cost).expire(key, 2 * MINUTE).execute()
        return int(spent)

    async def close(self) -> None:
        """Gives the connections back."""
        await self._redis.aclose()


def _named(client: str) -> str:
    # Whom a key is about can be told only by who knows that caller already.
    return sha256(client.encode()).hexdigest()
