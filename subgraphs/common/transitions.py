"""Transitions: a row moves to its next state, and each move is a numbered row and then an event.

When a parcel is sent:

    move(STATES, parcel, SENT)                 the parcel's status is SENT and its last_sequence 2
    session.add(ParcelTransition(sequence=2))  in the same transaction
    announce_after_commit(uow, live, key, …)   event 2 of the parcel's live stream
    follow_until(…)                            a follower gets it from the stream, or else from its row
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncSession

from subgraphs.common.database import Database
from subgraphs.common.live import LiveEvent, LiveStreams, StaleWriter
from subgraphs.common.runtime import Runtime
from subgraphs.common.state_machine import StateMachine
from subgraphs.common.telemetry import get_logger
from subgraphs.common.unit_of_work import UnitOfWork

State = TypeVar("State", bound=StrEnum)


class Stateful(Protocol[State]):
    """A row with a state; `last_sequence` is the number of its newest transition, 0 before the first."""

    status: State
    last_sequence: int


class IllegalTransition(Exception):
    """A row cannot move to a state that is behind its present one; callers check that first."""


def move(machine: StateMachine[State], row: Stateful[State], status: State) -> int:
    """Move a locked row to a state ahead of its present one, or a new row to the initial state.

    A row may also stay in its state, to report progress. Returns the number of the transition; they
    count from 1 without gaps.

    Raises:
        IllegalTransition: The row cannot move to the state; it is unchanged.
    """
    if row.last_sequence == 0:
        is_legal = status is machine.initial
    else:
        is_legal = status is row.status or machine.is_ahead(row.status, status)
    if not is_legal:
        raise IllegalTransition(f"a {type(row).__name__} that is {row.status} cannot become {status}")
    row.status = status
    row.last_sequence += 1
    return row.last_sequence


def announce_after_commit(uow: UnitOfWork, live: LiveStreams, key: str, event: LiveEvent) -> None:
    """Append an event, which is also a row of this transaction, to a live stream after the commit."""

    async def append() -> None:
        try:
            await live.append(key, event)
        except (RedisError, StaleWriter) as error:
            # Followers read it from the row instead.
            get_logger().warning("A live event was not appended", stream=key, error=error)

    uow.after_commit.append(append)


@dataclass(frozen=True, slots=True)
class EventRows:
    """How the events of one kind of stream are read from rows; `order:ord_…` is a stream of the kind `order`.

    `list_events` reads the events of a row after a number, oldest first, and `load_last_sequences` the
    numbers of the newest ones of many rows.
    """

    kind: str
    list_events: Callable[[AsyncSession, str, int], Awaitable[Sequence[LiveEvent]]]
    load_last_sequences: Callable[[AsyncSession, Sequence[str]], Awaitable[Mapping[str, int]]]

    def build_key(self, id: str) -> str:
        """Build the key of the stream of a row."""
        return f"{self.kind}:{id}"


async def follow_until(
    is_last: Callable[[LiveEvent], bool], runtime: Runtime, rows: EventRows, id: str, after: int
) -> AsyncGenerator[LiveEvent, None]:
    """Yield the events of a row's live stream after a number, up to the last one."""
    history = _History(runtime.database, rows)
    async with aclosing(runtime.live.follow(rows.build_key(id), after, history)) as events:
        async for event in events:
            yield event
            if is_last(event):
                return


@dataclass(frozen=True, slots=True)
class _History:
    """The History of a domain's streams."""

    database: Database
    rows: EventRows

    async def list_events(self, key: str, after: int) -> Sequence[LiveEvent]:
        """List the events of a stream after a number, oldest first."""
        async with self.database.read() as session:
            return await self.rows.list_events(session, self._get_id(key), after)

    async def find_newest(self, keys: Sequence[str]) -> Mapping[str, int]:
        """Find the number of the newest event of each stream."""
        async with self.database.read() as session:
            found = await self.rows.load_last_sequences(session, [self._get_id(key) for key in keys])
        return {self.rows.build_key(id): sequence for id, sequence in found.items()}

    def _get_id(self, key: str) -> str:
        return key.removeprefix(self.rows.build_key(""))
