"""Persisted documents that routers share in Redis, each for as long as it is used."""

from __future__ import annotations

from datetime import timedelta

from redis.asyncio import Redis
from redis.exceptions import RedisError

from router.telemetry import log

PREFIX = "router:document:"
UNUSED = timedelta(days=30)
TIMEOUT_SECONDS = 1.0


class RedisDocuments:
    """Documents by their hash; a Redis that does not answer is one that knows none."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
        )

    async def get(self, document_id: str) -> str | None:
        """The document of this hash, which then counts as used."""
        try:
            text: str | None = await self._redis.getex(PREFIX + document_id, ex=UNUSED)
        except (RedisError, OSError, UnicodeDecodeError) as error:
            _report(error)
            return None
        return text

    async def put(self, document_id: str, text: str) -> None:
        """Keeps a document."""
        try:
            await self._redis.set(PREFIX + document_id, text, ex=UNUSED)
        except (RedisError, OSError) as error:
            _report(error)

    async def close(self) -> None:
        """Gives the connections back."""
        await self._redis.aclose()


def _report(error: Exception) -> None:
    log.warning("Shared documents are out of reach", extra={"metadata": {"reason": repr(error)}})
