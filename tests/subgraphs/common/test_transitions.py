"""Transitions: only ahead and numbered without gaps, and followers get each as an event."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession

from subgraphs.common import live
from subgraphs.common.ids import new_id
from subgraphs.common.live import LiveEvent
from subgraphs.common.runtime import Runtime
from subgraphs.common.state_machine import StateMachine
from subgraphs.common.transitions import (
    EventRows,
    IllegalTransition,
    announce_after_commit,
    follow_until,
    move,
)


class Status(StrEnum):
    NEW = "NEW"
    OPEN = "OPEN"
    DONE = "DONE"
    DROPPED = "DROPPED"


S = Status
MACHINE = StateMachine({S.NEW: {S.OPEN, S.DROPPED}, S.OPEN: {S.DONE, S.DROPPED}, S.DONE: (), S.DROPPED: ()})
NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


@dataclass
class Parcel:
    status: Any = None
    last_sequence: int = 0


@given(st.lists(st.sampled_from(Status), max_size=10))
def test_a_row_never_moves_back_and_its_moves_are_numbered_without_gaps(wanted: list[Status]) -> None:
    parcel = Parcel()
    passed: list[Status] = []
    for status in wanted:
        before = parcel.status, parcel.last_sequence
        present = passed[-1] if passed else None
        if status is (present or S.NEW) or (present and MACHINE.is_ahead(present, status)):
            passed.append(status)
            assert move(MACHINE, parcel, status) == len(passed)
            assert (parcel.status, parcel.last_sequence) == (status, len(passed))
        else:
            with pytest.raises(IllegalTransition, match=f"cannot become {status}"):
                move(MACHINE, parcel, status)
            assert (parcel.status, parcel.last_sequence) == before


@pytest.fixture
def parcel_id() -> str:
    return new_id("pcl")


@pytest.fixture
def key(parcel_id: str) -> str:
    return f"parcel:{parcel_id}"


def build_event(sequence: int, kind: str = "moved") -> LiveEvent:
    return LiveEvent(sequence, kind, NOW, {})


async def read_numbers(
    runtime: Runtime, parcel_id: str, after: int, rows: Sequence[LiveEvent] = ()
) -> list[int]:
    """Follow a stream to its last event, of the kind `ended`; `rows` are the events stored as rows."""

    async def list_events(_: AsyncSession, id: str, last: int) -> Sequence[LiveEvent]:
        assert id == parcel_id
        return [row for row in rows if row.sequence > last]

    async def load_last_sequences(_: AsyncSession, ids: Sequence[str]) -> Mapping[str, int]:
        assert ids == [parcel_id]
        return {parcel_id: max((row.sequence for row in rows), default=0)}

    def is_last(event: LiveEvent) -> bool:
        return event.kind == "ended"

    parcels = EventRows("parcel", list_events, load_last_sequences)
    async with asyncio.timeout(30):
        async with aclosing(follow_until(is_last, runtime, parcels, parcel_id, after)) as events:
            return [event.sequence async for event in events]


async def test_an_event_is_appended_once_its_transaction_has_committed(runtime: Runtime, key: str) -> None:
    async with runtime.unit_of_work() as uow:
        announce_after_commit(uow, runtime.live, key, build_event(1))
        assert await runtime.live.read_last_sequence(key) == 0
    assert await runtime.live.read_last_sequence(key) == 1


async def test_the_event_of_a_transaction_that_is_rolled_back_is_not_appended(
    runtime: Runtime, key: str
) -> None:
    async def fail() -> None:
        async with runtime.unit_of_work() as uow:
            announce_after_commit(uow, runtime.live, key, build_event(1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await runtime.live.read_last_sequence(key) == 0


async def test_an_event_that_cannot_be_appended_comes_from_its_row(
    runtime: Runtime, parcel_id: str, key: str
) -> None:
    """A later event was appended first."""
    await runtime.live.append(key, build_event(2, "ended"))
    async with runtime.unit_of_work() as uow:
        announce_after_commit(uow, runtime.live, key, build_event(1))
    assert await read_numbers(runtime, parcel_id, 0, rows=[build_event(1), build_event(2, "ended")]) == [1, 2]


async def test_a_last_event_that_was_not_appended_comes_from_its_row(
    runtime: Runtime, parcel_id: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_CHECK_SECONDS", 0.05)
    await runtime.live.append(key, build_event(1))
    assert await read_numbers(runtime, parcel_id, 1, rows=[build_event(1), build_event(2, "ended")]) == [2]


async def test_a_follower_gets_past_and_new_events_up_to_the_last(
    runtime: Runtime, parcel_id: str, key: str
) -> None:
    await runtime.live.append(key, build_event(1))
    following = asyncio.create_task(read_numbers(runtime, parcel_id, 0))
    for event in (build_event(2), build_event(3, "ended"), build_event(4)):
        await runtime.live.append(key, event)
    assert await following == [1, 2, 3]
    assert await read_numbers(runtime, parcel_id, 2) == [3]
