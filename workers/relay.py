"""The outbox relay, which moves committed messages from the domains' outboxes to the job queue."""

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
from subgraphs.common.telemetry import get_logger
from workers.platform import Platform
from workers.registry import Registry

_BATCH_SIZE = 100
_POLL_SECONDS = 1.0
_RETRY_SECONDS = 2.0


class Relay:
    """Relays messages as they commit. Several relays may run: each row is locked by one of them."""

    def __init__(self, platform: Platform, queue: ArqRedis, registry: Registry) -> None:
        self._platform = platform
        self._queue = queue
        self._registry = registry

    async def run(self) -> None:
        """Relay until cancelled, reconnecting when PostgreSQL or Redis is unavailable."""
        while True:
            try:
                await self._follow()
            except (OSError, asyncpg.PostgresError, SQLAlchemyError, RedisError) as error:
                get_logger().warning("The outbox relay lost a connection", error=error)
                await asyncio.sleep(_RETRY_SECONDS)

    async def relay_once(self) -> int:
        """Relay one batch from each outbox; return the number of messages relayed."""
        return sum([await self._relay(runtime) for runtime in self._platform.runtimes.values()])

    async def _follow(self) -> None:
        wakeup = asyncio.Event()
        connection = await asyncpg.connect(_build_dsn(self._platform.books))
        try:
            await connection.add_listener(outbox.CHANNEL, lambda *_: wakeup.set())
            connection.add_termination_listener(lambda *_: wakeup.set())
            while not connection.is_closed():
                wakeup.clear()
                while await self.relay_once():
                    pass
                # A notification can be lost while the connection breaks, so poll as well.
                with suppress(TimeoutError):
                    async with asyncio.timeout(_POLL_SECONDS):
                        await wakeup.wait()
            raise ConnectionResetError("the listening connection was closed")
        finally:
            await connection.close()

    async def _relay(self, runtime: Runtime) -> int:
        table = runtime.metadata.tables[f"{runtime.domain.name}.outbox"]
        async with runtime.database.session() as session, session.begin():
            rows = await outbox.take(session, table, _BATCH_SIZE)
            for row in rows:
                await self._enqueue(row)
        return len(rows)

    async def _enqueue(self, row: OutboxRow) -> None:
        for destination in self._registry.find_destinations(row.kind, row.name):
            job: dict[str, Any] = {
                "payload": row.payload,
                "message_id": row.id,
                "traceparent": row.traceparent,
            }
            # A deterministic id makes a second delivery of the same row a no-op.
            await self._queue.enqueue_job(
                destination, **job, _job_id=f"{row.id}:{destination}", _defer_until=row.not_before
            )


def _build_dsn(runtime: Runtime) -> str:
    return runtime.settings.build_database_url(runtime.domain.role).replace("+asyncpg", "")
