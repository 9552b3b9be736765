"""The connection to Redis, whose commands have spans if spans are recorded."""

from __future__ import annotations

from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from subgraphs.common.tracing import is_recording, open_span

_TIMEOUT_SECONDS: Final = 5.0
"""Longer than a reader of live streams blocks."""
_ATTRIBUTES: Final = {"db.system.name": "redis"}


def open_redis(url: str) -> Redis:
    """Open a client; connections are made when they are first used."""
    kind = _TracedRedis if is_recording() else Redis
    redis: Redis = kind.from_url(
        url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
    )
    return redis


class _TracedRedis(Redis):
    """A client that opens a span for each command and for each pipeline."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Execute a command."""
        with open_span(str(args[0]), "client", _ATTRIBUTES):
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        """Create a pipeline."""
        return _TracedPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)


class _TracedPipeline(Pipeline):
    """A pipeline whose commands have one span together."""

    async def execute(self, raise_on_error: bool = True) -> Any:
        """Execute the commands."""
        with open_span("PIPELINE", "client", _ATTRIBUTES):
            return await super().execute(raise_on_error)
