"""Units of work: atomicity, and the messages of a commit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import Row, delete, select

from subgraphs.auth.models import Table, User
from subgraphs.common import outbox
from subgraphs.common.ids import new_id
from subgraphs.common.messages import Event, Job
from subgraphs.common.runtime import Runtime
from subgraphs.common.telemetry import start_trace
from subgraphs.common.unit_of_work import _await_commit

OUTBOX = Table.metadata.tables["auth.outbox"]


@dataclass(frozen=True, slots=True)
class SomethingHappened(Event):
    """An event of these tests."""

    thing: str


@dataclass(frozen=True, slots=True)
class DoSomething(Job):
    """A job of these tests."""

    thing: str


KNOWN = [SomethingHappened.name()]


class Failed(Exception):
    """The block of a unit of work fails."""


@pytest.fixture(autouse=True)
async def _no_messages_left(runtime: Runtime) -> AsyncIterator[None]:
    yield
    async with runtime.unit_of_work() as uow:
        await uow.session.execute(delete(OUTBOX))


@pytest.fixture
def thing() -> str:
    return uuid4().hex


def build_user(runtime: Runtime) -> User:
    return User(
        id=new_id("usr"),
        email=uuid4().hex,
        display_name="Ana",
        password_hash="",
        scopes=[],
        created_at=runtime.clock(),
    )


async def read_rows(runtime: Runtime, thing: str) -> list[Row[Any]]:
    async with runtime.database.read() as session:
        found = await session.execute(
            select(OUTBOX).where(OUTBOX.c.payload["thing"].astext == thing).order_by(OUTBOX.c.id)
        )
        return list(found.all())


async def test_state_and_messages_are_committed_together(runtime: Runtime, thing: str) -> None:
    trace = start_trace(None)
    user = build_user(runtime)
    async with runtime.unit_of_work() as uow:
        uow.session.add(user)
        await uow.publish(SomethingHappened(thing))
        await uow.enqueue(DoSomething(thing), owner_id="usr_ada", delay=timedelta(minutes=5))
    fact, order = await read_rows(runtime, thing)
    assert (fact.kind, fact.name, fact.payload) == (
        "event",
        f"{SomethingHappened.__module__.split('.')[1]}.SomethingHappened",
        {"thing": thing},
    )
    assert fact.not_before is None
    assert (order.kind, order.not_before - order.created_at) == ("job", timedelta(minutes=5))
    assert (fact.owner_id, order.owner_id, fact.version) == (None, "usr_ada", 1)
    assert trace in fact.traceparent
    async with runtime.database.read() as session:
        assert await session.get(User, user.id) is not None


async def test_a_failed_block_is_rolled_back(runtime: Runtime, thing: str) -> None:
    user = build_user(runtime)
    calls: list[str] = []

    async def record_call() -> None:
        calls.append(thing)

    async def fail() -> None:
        async with runtime.unit_of_work() as uow:
            uow.session.add(user)
            await uow.publish(SomethingHappened(thing))
            uow.after_commit.append(record_call)
            raise Failed

    with pytest.raises(Failed):
        await fail()
    assert await read_rows(runtime, thing) == []
    assert calls == []
    async with runtime.database.read() as session:
        assert await session.get(User, user.id) is None


async def test_callbacks_after_the_commit_see_the_committed_state(runtime: Runtime) -> None:
    user = build_user(runtime)
    found: list[bool] = []

    async def check() -> None:
        async with runtime.database.read() as session:
            found.append(await session.get(User, user.id) is not None)

    async with runtime.unit_of_work() as uow:
        uow.session.add(user)
        uow.after_commit.append(check)
        await uow.session.flush()
        await check()
    assert found == [False, True]


async def test_a_consumer_receives_a_message_once(runtime: Runtime, thing: str) -> None:
    outcomes = []
    for consumer in ("a.first", "a.first", "b.second"):
        async with runtime.unit_of_work() as uow:
            outcomes.append(await uow.receive(consumer, thing))
    assert outcomes == [True, False, True]


async def test_a_message_is_received_again_after_a_failed_handling(runtime: Runtime, thing: str) -> None:
    async def fail() -> None:
        async with runtime.unit_of_work() as uow:
            assert await uow.receive("a.first", thing)
            raise Failed

    with pytest.raises(Failed):
        await fail()
    async with runtime.unit_of_work() as uow:
        assert await uow.receive("a.first", thing)


async def test_one_of_several_concurrent_deliveries_of_a_message_is_handled(
    runtime: Runtime, thing: str
) -> None:
    async def handle() -> bool:
        async with runtime.unit_of_work() as uow:
            return await uow.receive("a.first", thing)

    assert sorted(await asyncio.gather(handle(), handle(), handle())) == [False, False, True]


async def test_concurrent_relays_never_take_the_same_message(runtime: Runtime) -> None:
    things = [uuid4().hex for _ in range(4)]
    async with runtime.unit_of_work() as uow:
        for thing in things:
            await uow.publish(SomethingHappened(thing))
    async with runtime.database.session() as first, runtime.database.session() as second:
        taken = await outbox.take(first, OUTBOX, 2, KNOWN)
        rest = await outbox.take(second, OUTBOX, 1000, KNOWN)
        assert not {row.id for row in taken} & {row.id for row in rest}
        assert len(taken) == 2
        await first.rollback()
        await second.rollback()
    for thing in things:
        assert len(await read_rows(runtime, thing)) == 1


async def test_messages_are_taken_in_order_and_deleted_with_the_commit(runtime: Runtime) -> None:
    things = [uuid4().hex for _ in range(3)]
    async with runtime.unit_of_work() as uow:
        for thing in things:
            await uow.publish(SomethingHappened(thing))
    async with runtime.database.session() as session, session.begin():
        taken = await outbox.take(session, OUTBOX, 1000, KNOWN)
    assert [row.payload["thing"] for row in taken if row.payload.get("thing") in things] == things
    assert await read_rows(runtime, things[0]) == []


async def test_a_commit_notifies_listeners(runtime: Runtime, thing: str) -> None:
    address = runtime.settings.build_database_url("memorable_auth").replace(
        "postgresql+asyncpg", "postgresql"
    )
    connection = await asyncpg.connect(address)
    news = asyncio.Event()
    await connection.add_listener(outbox.CHANNEL, lambda *_: news.set())
    async with runtime.unit_of_work() as uow:
        await uow.publish(SomethingHappened(thing))
        assert not news.is_set()
    async with asyncio.timeout(60):
        await news.wait()
    await connection.close()


async def test_a_commit_that_has_begun_is_completed_despite_cancellation() -> None:
    begun, released, made = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def commit() -> None:
        begun.set()
        await released.wait()
        made.set()

    committing = asyncio.create_task(_await_commit(commit()))
    await begun.wait()
    committing.cancel()
    released.set()
    with pytest.raises(asyncio.CancelledError):
        await committing
    assert made.is_set()
