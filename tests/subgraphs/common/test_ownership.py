"""Ownership: rows are found with their owner's id only, however far they are from the owner."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from subgraphs.auth.models import Session, User
from subgraphs.common.errors import NotFound
from subgraphs.common.ids import new_id
from subgraphs.common.ownership import Owned
from subgraphs.common.runtime import Runtime

USERS = Owned(User, User.id)
SESSIONS = {
    "by their own column": Owned(Session, Session.user_id),
    "through their user": USERS.extend_to(Session, Session.user_id),
}

directly_or_not = pytest.mark.parametrize("owned", SESSIONS)


async def create_session(runtime: Runtime) -> tuple[str, str]:
    """Create a user with a session; return their ids."""
    now, user_id, session_id = runtime.clock(), new_id("usr"), new_id("ses")
    async with runtime.unit_of_work() as uow:
        uow.session.add(
            User(
                id=user_id,
                email=uuid4().hex,
                display_name="Ana",
                password_hash="",
                scopes=[],
                created_at=now,
            )
        )
        await uow.session.flush()
        uow.session.add(
            Session(
                id=session_id,
                user_id=user_id,
                created_at=now,
                last_seen_at=now,
                expires_at=now + timedelta(days=1),
            )
        )
    return user_id, session_id


@directly_or_not
async def test_an_owner_finds_its_rows_and_no_others(runtime: Runtime, owned: str) -> None:
    (ana, of_ana), (_, of_bob) = await create_session(runtime), await create_session(runtime)
    async with runtime.database.read() as session:
        assert list(await SESSIONS[owned].load(session, ana, [of_ana, of_bob, "ses_none"])) == [of_ana]
        assert (await SESSIONS[owned].get(session, ana, of_ana)).user_id == ana
        assert [row.id for row in await session.scalars(SESSIONS[owned].select(ana))] == [of_ana]


@directly_or_not
async def test_what_belongs_to_someone_else_is_neither_read_nor_locked(runtime: Runtime, owned: str) -> None:
    (ana, _), (_, of_bob) = await create_session(runtime), await create_session(runtime)
    async with runtime.unit_of_work() as uow:
        for read in (SESSIONS[owned].get, SESSIONS[owned].lock):
            with pytest.raises(NotFound, match=f"Session '{of_bob}' was not found"):
                await read(uow.session, ana, of_bob)


@directly_or_not
async def test_a_task_reads_rows_of_any_owner(runtime: Runtime, owned: str) -> None:
    user_id, session_id = await create_session(runtime)
    async with runtime.unit_of_work() as uow:
        for read in (SESSIONS[owned].get_any, SESSIONS[owned].lock_any):
            assert (await read(uow.session, session_id)).user_id == user_id
            with pytest.raises(NotFound, match="Session 'ses_none' was not found"):
                await read(uow.session, "ses_none")


@directly_or_not
async def test_a_row_is_read_as_it_is_under_its_lock(runtime: Runtime, owned: str) -> None:
    user_id, session_id = await create_session(runtime)
    async with runtime.unit_of_work() as waiting:
        stale = await SESSIONS[owned].get(waiting.session, user_id, session_id)
        async with runtime.unit_of_work() as holding:
            (await SESSIONS[owned].lock(holding.session, user_id, session_id)).user_agent = "changed"
            locking = asyncio.create_task(SESSIONS[owned].lock(waiting.session, user_id, session_id))
            await asyncio.sleep(0.1)
            assert not locking.done()
            assert stale.user_agent is None
        assert (await locking).user_agent == "changed"


async def test_the_lock_on_a_row_does_not_lock_its_owner(runtime: Runtime) -> None:
    user_id, session_id = await create_session(runtime)
    async with runtime.unit_of_work() as holding, runtime.unit_of_work() as other:
        await SESSIONS["through their user"].lock(holding.session, user_id, session_id)
        async with asyncio.timeout(30):
            assert (await USERS.lock(other.session, user_id, user_id)).display_name == "Ana"
