"""The unit of work: one mutation or task, one transaction, and what it leaves for after the commit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncSession

from subgraphs.common import outbox
from subgraphs.common.clock import Clock
from subgraphs.common.database import Database
from subgraphs.common.messages import Event, Job

_COMMIT_SECONDS: Final = 5


class UnitOfWork:
    """A transaction under way. Only `unit_of_work` commits it."""

    def __init__(self, session: AsyncSession, metadata: MetaData, now: datetime) -> None:
        self.session = session
        self.now = now
        self.after_commit: list[Callable[[], Awaitable[None]]] = []
        self._outbox = metadata.tables[f"{metadata.schema}.outbox"]
        self._inbox = metadata.tables[f"{metadata.schema}.inbox"]

    async def publish(self, event: Event) -> None:
        """Publish an event, if and when this transaction commits."""
        await outbox.append(self.session, self._outbox, event, now=self.now, not_before=None)

    async def enqueue(self, job: Job, *, delay: timedelta = timedelta()) -> None:
        """Enqueue a job, if and when this transaction commits, to start after the delay."""
        not_before = self.now + delay if delay else None
        await outbox.append(self.session, self._outbox, job, now=self.now, not_before=not_before)

    async def receive(self, consumer: str, message_id: str) -> bool:
        """Record a message in the inbox; false when this consumer has already handled it."""
        return await outbox.receive(self.session, self._inbox, consumer, message_id, self.now)


@asynccontextmanager
async def unit_of_work(database: Database, metadata: MetaData, clock: Clock) -> AsyncIterator[UnitOfWork]:
    """Open a transaction; commit it when the block ends, roll everything back when it raises.

    A block that is cancelled, at a deadline or because the caller has disconnected, is rolled back; a commit
    that has begun is awaited all the same. `after_commit` callbacks run only after a commit and
    must not be needed for correctness: a crash may come before them.
    """
    async with database.session() as session:
        uow = UnitOfWork(session, metadata, clock())
        yield uow
        await _finish(session.commit())
    for callback in uow.after_commit:
        await callback()


async def _finish(commit: Coroutine[Any, Any, None]) -> None:
    """Await a commit; a cancellation takes effect after it, so that its outcome is known."""
    committing = asyncio.ensure_future(commit)
    try:
        await asyncio.shield(committing)
    except asyncio.CancelledError:
        await asyncio.wait({committing}, timeout=_COMMIT_SECONDS)
        raise
