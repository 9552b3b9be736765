"""The unit of work: the transaction of a mutation or a task, and its messages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncSession

from subgraphs.common import audit, outbox
from subgraphs.common.audit import AuditEntry
from subgraphs.common.clock import Clock
from subgraphs.common.database import Database
from subgraphs.common.messages import Event, Job

_COMMIT_SECONDS: Final = 5


class UnitOfWork:
    """An open transaction, which only `open_unit_of_work` commits."""

    def __init__(self, session: AsyncSession, metadata: MetaData, now: datetime) -> None:
        self.session = session
        self.now = now
        self.after_commit: list[Callable[[], Awaitable[None]]] = []
        self._outbox = metadata.tables[f"{metadata.schema}.outbox"]
        self._inbox = metadata.tables[f"{metadata.schema}.inbox"]
        self._audit = metadata.tables[f"{metadata.schema}.audit"]

    async def publish(self, event: Event) -> None:
        """Publish an event when this transaction commits."""
        await outbox.append(self.session, self._outbox, event, owner_id=None, now=self.now, not_before=None)

    async def enqueue(self, job: Job, *, owner_id: str | None, delay: timedelta = timedelta()) -> None:
        """Enqueue a job when this transaction commits; it starts after the delay.

        The jobs of one owner take turns with those of others.
        """
        not_before = self.now + delay if delay else None
        await outbox.append(
            self.session, self._outbox, job, owner_id=owner_id, now=self.now, not_before=not_before
        )

    async def audit(self, entry: AuditEntry) -> None:
        """Write an entry of the audit log."""
        await audit.append(self.session, self._audit, entry, self.now)

    async def receive(self, consumer: str, message_id: str) -> bool:
        """Record a message in the inbox; false when this consumer has already handled it."""
        return await outbox.receive(self.session, self._inbox, consumer, message_id, self.now)


@asynccontextmanager
async def open_unit_of_work(
    database: Database, metadata: MetaData, clock: Clock
) -> AsyncIterator[UnitOfWork]:
    """Open a transaction; commit it when the block ends, and roll it back when the block raises.

    A block that is cancelled, at a deadline or because the caller has disconnected, is rolled back, but a
    commit that has begun is awaited. `after_commit` callbacks run after a commit. Correctness must not depend
    on them, because the process may crash before they run.
    """
    async with database.session() as session:
        uow = UnitOfWork(session, metadata, clock())
        yield uow
        await _await_commit(session.commit())
    for callback in uow.after_commit:
        await callback()


async def _await_commit(commit: Coroutine[Any, Any, None]) -> None:
    """Await a commit; a cancellation takes effect after it, so that the outcome is known."""
    committing = asyncio.ensure_future(commit)
    try:
        await asyncio.shield(committing)
    except asyncio.CancelledError:
        await asyncio.wait({committing}, timeout=_COMMIT_SECONDS)
        raise
