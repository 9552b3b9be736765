"""Transitions: a row moves to its next state, and each move is a numbered row and then an event.

When a parcel is sent:

    move(STATES, parcel, SENT)                 the parcel's status is SENT and its last_sequence 2
    session.add(ParcelTransition(sequence=2))  in the same transaction
    announce_after_commit(uow, live, key, …)   event 2 of the parcel's live stream
    follow_until(…)                            a follower gets it from the stream, or else from its row
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from enum import StrEnum
from typing import Protocol, TypeVar

from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncSession

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

    A row may also stay in its state, when there is news of it. Returns the number of the transition; they
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


async def follow_until(
    is_last: Callable[[LiveEvent], bool],
    runtime: Runtime,
    key: str,
    after: int,
    list_events: Callable[[AsyncSession, int], Awaitable[Sequence[LiveEvent]]],
) -> AsyncGenerator[LiveEvent, None]:
    """Yield the events of a live stream after a number, up to the last one.

    `list_events` reads the events after a number from rows, oldest first, for those that the stream lacks.
    """

    async def load_history(last: int) -> Sequence[LiveEvent]:
        async with runtime.database.read() as session:
            return await list_events(session, last)

    async with aclosing(runtime.live.follow(key, after, load_history)) as events:
        async for event in events:
            yield event
            if is_last(event):
                return
