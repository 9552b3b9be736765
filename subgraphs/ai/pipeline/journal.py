"""The journal of a generation, which numbers its events and fences off an earlier runner.

A durable event is a row, written in the transaction whose effect it reports, and then appended to the live
stream; the deltas of a text are in the stream only. One counter numbers both.

A runner that acquires a generation increments its lease, and each transaction of the journal first checks
that the runner still holds it. An earlier runner may still send deltas, so the new one skips HEADROOM
numbers: more than the earlier one can use before its next transaction fails.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from subgraphs.ai import repository
from subgraphs.ai.models import Generation, GenerationEvent
from subgraphs.ai.states import GENERATION_STATES, GenerationStatus
from subgraphs.common.live import LiveEvent, LiveStreams, StaleWriter
from subgraphs.common.runtime import Runtime
from subgraphs.common.transitions import EventRows
from subgraphs.common.unit_of_work import UnitOfWork

HEADROOM = 1000
MAX_DELTAS_PER_STEP = 900
_WATCH_SECONDS = 0.5


class Superseded(Exception):
    """The generation was cancelled, has ended or was acquired by another runner."""


def to_live_event(row: GenerationEvent) -> LiveEvent:
    """Convert a durable event to a live event."""
    return LiveEvent(row.sequence, row.kind, row.at, row.data)


async def _list_events(session: AsyncSession, generation_id: str, after: int) -> list[LiveEvent]:
    return [to_live_event(row) for row in await repository.list_events(session, generation_id, after)]


EVENT_ROWS: Final = EventRows("generation", _list_events, repository.load_last_sequences)


async def find_next_sequence(live: LiveStreams, generation: Generation) -> int:
    """Find the first number that a new writer of a locked generation may use."""
    last = max(await live.read_last_sequence(EVENT_ROWS.build_key(generation.id)), generation.last_sequence)
    return last + 1 + (HEADROOM if generation.lease else 0)


def record_event(
    uow: UnitOfWork, generation: Generation, number: int, kind: str, data: dict[str, Any]
) -> LiveEvent:
    """Write a durable event of a locked generation."""
    row = GenerationEvent(generation_id=generation.id, sequence=number, kind=kind, data=data, at=uow.now)
    uow.session.add(row)
    generation.last_sequence = number
    return to_live_event(row)


class JournalTransaction:
    """A transaction of the journal, with the locked generation and its new events."""

    def __init__(self, uow: UnitOfWork, generation: Generation, last_sequence: int) -> None:
        self.uow = uow
        self.generation = generation
        self.last_sequence = last_sequence
        self.events: list[LiveEvent] = []

    @property
    def session(self) -> AsyncSession:
        """The transaction's session."""
        return self.uow.session

    def announce(self, kind: str, **data: Any) -> None:
        """Record the next event; it is sent after the commit."""
        self.last_sequence += 1
        self.events.append(record_event(self.uow, self.generation, self.last_sequence, kind, data))


class Journal:
    """The journal of the current writer."""

    def __init__(self, runtime: Runtime, generation_id: str, lease: int, last: int) -> None:
        self._runtime = runtime
        self._id = generation_id
        self._lease = lease
        self._last = last
        self._lock = asyncio.Lock()

    @classmethod
    async def acquire(cls, runtime: Runtime, generation_id: str) -> Journal | None:
        """Acquire the lease of a generation; None when it has ended or has been deleted."""
        async with runtime.unit_of_work() as uow:
            generation = await repository.lock_any_generation(uow.session, generation_id)
            if generation is None or generation.status in GENERATION_STATES.terminal:
                return None
            appended = await runtime.live.read_last_sequence(EVENT_ROWS.build_key(generation_id))
            first = await find_next_sequence(runtime.live, generation)
            generation.lease += 1
            generation.status = GenerationStatus.RUNNING
            unsent = await repository.list_events(uow.session, generation_id, appended)
        for row in unsent:
            with suppress(StaleWriter):
                await runtime.live.append(EVENT_ROWS.build_key(generation_id), to_live_event(row))
        return cls(runtime, generation_id, generation.lease, first - 1)

    @asynccontextmanager
    async def open_transaction(self) -> AsyncIterator[JournalTransaction]:
        """Open a transaction, whose events are sent after the commit; Superseded without the lease."""
        async with self._lock:
            async with self._runtime.unit_of_work() as uow:
                generation = await repository.lock_any_generation(uow.session, self._id)
                if generation is None or not self._may_write(generation):
                    raise Superseded
                transaction = JournalTransaction(uow, generation, self._last)
                yield transaction
            self._last = transaction.last_sequence
            for event in transaction.events:
                await self._append(event)

    async def send_delta(self, kind: str, **data: Any) -> None:
        """Send an event that is not durable."""
        async with self._lock:
            self._last += 1
            await self._append(LiveEvent(self._last, kind, self._runtime.clock(), data))

    async def watch(self) -> None:
        """Wait until the lease is lost, and raise Superseded."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            await self._require_lease()

    def _may_write(self, generation: Generation) -> bool:
        return generation.lease == self._lease and generation.status in GENERATION_STATES.active

    async def _append(self, event: LiveEvent) -> None:
        try:
            await self._runtime.live.append(EVENT_ROWS.build_key(self._id), event)
        except StaleWriter:
            await self._require_lease()
            raise

    async def _require_lease(self) -> None:
        async with self._runtime.database.read() as session:
            if await repository.find_lease(session, self._id) != self._lease:
                raise Superseded
