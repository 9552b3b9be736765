"""The outbox relay: what a transaction left in an outbox becomes jobs on the queue."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import asyncpg
from arq.connections import ArqRedis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from subgraphs.common import outbox
from subgraphs.common.outbox import OutboxRow
from subgraphs.common.runtime import Runtime
from subgraphs.common.telemetry import logger
from workers.platform import Platform
from workers.registry import Registry

_BATCH = 100
_POLL_SECONDS = 1.0
_RETRY_SECONDS = 2.0


class Relay:
    """Passes messages on as soon as they commit; several may run, each row is held by one at a time."""

    def __init__(self, platform: Platform, queue: ArqRedis, registry: Registry) -> None:
        self._platform = platform
        self._queue = queue
        self._registry = registry

    async def run(self) -> None:
        """Relay until cancelled; reconnect to a database or Redis that is down."""
        while True:
            try:
                await self._follow()
            except (OSError, asyncpg.PostgresError, SQLAlchemyError, RedisError) as error:
                logger().warning("The outbox relay lost a connection", error=error)
                await asyncio.sleep(_RETRY_SECONDS)

    async def relay_once(self) -> int:
        """Pass on what the outboxes hold now; return how many messages went."""
        return sum([await self._relay(runtime) for runtime in self._platform.runtimes.values()])

    async def _follow(self) -> None:
        news = asyncio.Event()
        connection = await asyncpg.connect(_dsn(self._platform.books))
        try:
            await connection.add_listener(outbox.CHANNEL, lambda *_: news.set())
            connection.add_termination_listener(lambda *_: news.set())
            while not connection.is_closed():
                news.clear()
                while await self.relay_once():
                    pass
                # A notification can be missed while its connection breaks: look from time to time too.
                with suppress(TimeoutError):
                    async with asyncio.timeout(_POLL_SECONDS):
                        await news.wait()
            raise ConnectionResetError("the connection that listens was closed")
        finally:
            await connection.close()

    async def _relay(self, runtime: Runtime) -> int:
        table = runtime.metadata.tables[f"{runtime.domain.name}.outbox"]
        async with runtime.database.session() as session, session.begin():
            rows = await outbox.take(session, table, _BATCH)
            for row in rows:
                await self._enqueue(row)
        return len(rows)

    async def _enqueue(self, row: OutboxRow) -> None:
        for destination in self._registry.destinations(row.kind, row.name):
            job: dict[str, Any] = {
                "payload": row.payload,
                "message_id": row.id,
                "traceparent": row.traceparent,
            }
            # The id makes a second delivery of the same row a no-op on the queue.
            await self._queue.enqueue_job(
                destination, **job, _job_id=f"{row.id}:{destination}", _defer_until=row.not_before
            )


def _dsn(runtime: Runtime) -> str:
    return runtime.settings.database_url(runtime.domain.role).replace("+asyncpg", "")
