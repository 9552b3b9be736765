"""The connection to Redis, whose commands have spans if spans are recorded."""

from __future__ import annotations

from typing import Any, Final

from redis.asyncio import Redis

from subgraphs.common.tracing import is_recording, open_span

_TIMEOUT_SECONDS: Final = 5.0
_ATTRIBUTES: Final = {"db.system.name": "redis"}


def open_redis(url: str) -> Redis:
    """Open a client; connections are made when they are first used."""
    kind = _TracedRedis if is_recording() else Redis
    redis: Redis = kind.from_url(
        url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
    )
    return redis


class _TracedRedis(Redis):
    """A client that opens a span for each command."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Execute a command."""
        with open_span(str(args[0]), "client", _ATTRIBUTES):
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
