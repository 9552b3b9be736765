"""The cost budget per client and minute, counted in a Redis that routers share.

Minutes are those of the clock, so that a client knows when the next one begins. The budget fails open: while
Redis does not respond in time, operations run without being counted.
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
# How long an unresponsive Redis is not tried again, as each attempt would delay an operation by the timeout.
COOLDOWN_SECONDS = 1.0


class RedisCostBudget:
    """Counts what each client has spent in the current minute."""

    def __init__(self, url: str, limit: int, clock: Callable[[], float] = time.time) -> None:
        # Not `socket_timeout`: before Python 3.12 it can lose a cancellation.
        self._redis = Redis.from_url(url, socket_connect_timeout=TIMEOUT_SECONDS)
        self._limit = limit
        self._clock = clock
        self._unavailable_until = 0.0

    async def spend(self, client: str, cost: int) -> None:
        """Charges an operation's estimated cost to a client.

        Raises:
            CostBudgetError: the client's budget for this minute is exhausted.
        """
        now = self._clock()
        if now < self._unavailable_until:
            return
        minute, elapsed = divmod(int(now), MINUTE)
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                spent = await self._add(f"{PREFIX}{_hash(client)}:{minute}", cost)
        except (RedisError, OSError, TimeoutError) as error:
            self._unavailable_until = now + COOLDOWN_SECONDS
            log.warning(
                "Costs cannot be counted", extra={"metadata": {"reason": str(error) or type(error).__name__}}
            )
            return
        if spent > self._limit:
            raise CostBudgetError(cost, self._limit, MINUTE - elapsed)

    async def _add(self, key: str, cost: int) -> int:
        async with self._redis.pipeline(transaction=False) as commands:
            spent, _ = await commands.incrby(key, cost).expire(key, 2 * MINUTE).execute()
        return int(spent)

    async def close(self) -> None:
        """Closes the connections."""
        await self._redis.aclose()


def _hash(client: str) -> str:
    # Keys do not reveal subjects or addresses.
    return sha256(client.encode()).hexdigest()
