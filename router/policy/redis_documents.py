"""Persisted queries that routers share in Redis; each expires when it has not been used for long."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from redis.asyncio import Redis
from redis.exceptions import RedisError

from router.telemetry import log

PREFIX = "router:document:"
EXPIRY = timedelta(days=30)
TIMEOUT_SECONDS = 1.0


class RedisDocuments:
    """Documents by hash; while Redis is unavailable it has none and stores none."""

    def __init__(self, url: str) -> None:
        # Not `socket_timeout`: before Python 3.12 it can lose a cancellation.
        self._redis = Redis.from_url(url, decode_responses=True, socket_connect_timeout=TIMEOUT_SECONDS)

    async def get(self, document_id: str) -> str | None:
        """The document with this hash, or None; renews its expiry."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                text: str | None = await self._redis.getex(PREFIX + document_id, ex=EXPIRY)
        except (RedisError, OSError, UnicodeDecodeError) as error:
            _log_failure(error)
            return None
        return text

    async def put(self, document_id: str, text: str) -> None:
        """Stores a document by its hash."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await self._redis.set(PREFIX + document_id, text, ex=EXPIRY)
        except (RedisError, OSError) as error:
            _log_failure(error)

    async def close(self) -> None:
        """Closes the connections."""
        await self._redis.aclose()


def _log_failure(error: Exception) -> None:
    log.warning(
        "Shared documents are unavailable", extra={"metadata": {"reason": str(error) or type(error).__name__}}
    )
