"""The connection to Redis: its commands have a deadline, and spans if spans are recorded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from redis.asyncio import Connection, Redis
from redis.exceptions import TimeoutError as RedisTimeoutError

from subgraphs.common.tracing import is_recording, open_span

_TIMEOUT_SECONDS: Final = 5.0
_ATTRIBUTES: Final = {"db.system.name": "redis"}


def open_redis(url: str) -> Redis:
    """Open a client; connections are made when they are first used."""
    kind = _TracedRedis if is_recording() else Redis
    redis: Redis = kind.from_url(url, connection_class=BoundedConnection)
    return redis


class BoundedConnection(Connection):
    """A connection that waits for the server for a limited time, and where no cancellation is lost.

    redis-py's own `socket_timeout` bounds the sending by `asyncio.wait_for`, which before Python 3.12 loses a
    cancellation that arrives just as the sending ends: the task would then run for ever.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(socket_connect_timeout=_TIMEOUT_SECONDS, **options)

    async def send_packed_command(self, *args: Any, **options: Any) -> None:
        """Send a command."""
        async with self._bound():
            await super().send_packed_command(*args, **options)

    async def read_response(self, *args: Any, **options: Any) -> Any:
        """Read the response to a command; a subscriber waits for its own time, and then gets None."""
        if options.get("timeout") is not None:
            return await super().read_response(*args, **options)
        async with self._bound():
            return await super().read_response(*args, **options)

    @asynccontextmanager
    async def _bound(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                yield
        except TimeoutError:
            raise RedisTimeoutError("The server did not respond in time") from None


class _TracedRedis(Redis):
    """A client that opens a span for each command."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Execute a command."""
        with open_span(str(args[0]), "client", _ATTRIBUTES):
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
