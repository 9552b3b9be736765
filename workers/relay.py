"""The outbox relay, which turns committed messages into deliveries and puts on the queue what is due.

Several relays may run: each row is locked by one of them, and each slot of the schedule exists once.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

import asyncpg
from arq.connections import ArqRedis
from arq.utils import to_unix_ms
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from subgraphs.common import deliveries, outbox
from subgraphs.common.deliveries import Delivery
from subgraphs.common.runtime import Runtime
from subgraphs.common.telemetry import build_traceparent, get_logger
from workers import queues
from workers.platform import Platform
from workers.registry import Registry, ScheduledJob

DELIVER = "deliver"
"""The name of arq's only function."""
_BATCH_SIZE = 100
_POLL_INTERVAL = timedelta(seconds=1)
_RETRY_SECONDS = 2.0
_EXPIRY = timedelta(hours=1)


class Relay:
    """Relays messages as they commit, and deliveries as they become due."""

    def __init__(self, platform: Platform, queue: ArqRedis, registry: Registry) -> None:
        self._platform = platform
        self._queue = queue
        self._registry = registry
        self._slots: dict[ScheduledJob, int] = {}

    async def run(self) -> None:
        """Relay until cancelled, reconnecting when PostgreSQL or Redis is unavailable."""
        while True:
            try:
                await self._follow()
            except (OSError, asyncpg.PostgresError, SQLAlchemyError, RedisError) as error:
                get_logger().warning(
                    "PostgreSQL or Redis cannot be reached; messages are kept, and the relay reconnects",
                    error=error,
                )
                await asyncio.sleep(_RETRY_SECONDS)

    async def relay_once(self) -> timedelta:
        """Relay one batch of each domain; return how long nothing else will be due."""
        await self._add_scheduled_jobs()
        return min([await self._relay(runtime) for runtime in self._platform.runtimes.values()])

    async def _follow(self) -> None:
        wakeup = asyncio.Event()
        connection = await asyncpg.connect(_build_dsn(self._platform.books))
        try:
            await connection.add_listener(outbox.CHANNEL, lambda *_: wakeup.set())
            connection.add_termination_listener(lambda *_: wakeup.set())
            while not connection.is_closed():
                wakeup.clear()
                wait = await self.relay_once()
                # A notification can be lost while the connection breaks, so poll as well.
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait.total_seconds()):
                        await wakeup.wait()
            raise ConnectionResetError("the listening connection was closed")
        finally:
            await connection.close()

    async def _relay(self, runtime: Runtime) -> timedelta:
        messages = await self._dispatch(runtime)
        queued, wait = await self._queue_due(runtime)
        return timedelta() if _BATCH_SIZE in {messages, queued} else wait

    async def _dispatch(self, runtime: Runtime) -> int:
        """Replace messages in the outbox by their deliveries; return the number of messages."""
        async with runtime.database.session() as session, session.begin():
            table, known = runtime.domain.get_table("outbox"), self._registry.known_events
            messages = await outbox.take(session, table, _BATCH_SIZE, known)
            rows = [
                {
                    "id": f"{message.id}:{destination}",
                    "message_id": message.id,
                    "destination": destination,
                    "queue": self._registry.get_queue(destination),
                    "version": message.version,
                    "payload": message.payload,
                    "owner_id": message.owner_id,
                    "traceparent": message.traceparent,
                    "due_at": message.not_before,
                }
                for message in messages
                for destination in self._registry.find_destinations(message.kind, message.name)
            ]
            if rows:
                await deliveries.add(session, runtime.domain.get_table("deliveries"), rows)
        return len(messages)

    async def _queue_due(self, runtime: Runtime) -> tuple[int, timedelta]:
        """Put deliveries on the queue; return how many, and how long none other will be due.

        If the queue is not available the transaction is rolled back, and they stay due.
        """
        table = runtime.domain.get_table("deliveries")
        async with runtime.database.session() as session, session.begin():
            due, wait = await deliveries.take_due(session, table, _BATCH_SIZE, _POLL_INTERVAL)
            # They have killed each worker that claimed them, or else they would have been parked.
            if hopeless := [each.id for each in due if each.attempts >= deliveries.MAX_ATTEMPTS]:
                await deliveries.park(session, table, hopeless)
            ready = [each for each in due if each.attempts < deliveries.MAX_ATTEMPTS]
            if ready:
                owners = {(each.queue, each.owner_id) for each in ready if each.owner_id is not None}
                last_turns = await deliveries.load_last_turns(session, table, owners)
                turns = queues.assign_turns(ready, last_turns, runtime.clock())
                await deliveries.mark_queued(session, table, turns)
            for each in ready:
                await self._put_on_queue(runtime.domain.name, each, turns[each.id])
        return len(due), wait

    async def _put_on_queue(self, domain: str, delivery: Delivery, turn: int) -> None:
        job: dict[str, Any] = {
            "domain": domain,
            "delivery_id": delivery.id,
            "attempts": delivery.attempts,
        }
        job_id, key = f"{delivery.id}:{delivery.attempts}", queues.build_key(delivery.queue)
        score_time = queues.compute_score_time(turn)
        enqueued = await self._queue.enqueue_job(
            DELIVER, **job, _job_id=job_id, _queue_name=key, _defer_until=score_time, _expires=_EXPIRY
        )
        if enqueued is None:
            # It waits already, and this changes nothing; or only its arguments are left of it, because Redis
            # lost the queue, or a worker died while it took the job off.
            await self._queue.zadd(key, {job_id: to_unix_ms(score_time)}, nx=True)

    async def _add_scheduled_jobs(self) -> None:
        """Add the delivery of each scheduled job whose period has begun; its id makes it the only one.

        The domain is part of the id, because a queue may hold the same job of several domains.
        """
        for scheduled in self._registry.schedule:
            runtime = self._platform.runtimes[scheduled.domain]
            slot = int(runtime.clock().timestamp() // scheduled.every.total_seconds())
            if self._slots.get(scheduled) == slot:
                continue
            message_id = f"schedule:{scheduled.domain}:{scheduled.job.name()}:{slot}"
            row = {
                "id": message_id,
                "message_id": message_id,
                "destination": scheduled.job.name(),
                "queue": self._registry.get_queue(scheduled.job.name()),
                "version": scheduled.job.version,
                "payload": scheduled.job.to_payload(),
                "owner_id": None,
                "traceparent": build_traceparent(),
            }
            async with runtime.database.session() as session, session.begin():
                await deliveries.add(session, runtime.domain.get_table("deliveries"), [row])
            self._slots[scheduled] = slot


def _build_dsn(runtime: Runtime) -> str:
    return runtime.settings.build_database_url(runtime.domain.role).replace("+asyncpg", "")
