"""The audit log: complete, in order, and unchangeable without a trace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from subgraphs.common import audit
from subgraphs.common.audit import AuditEntry, BrokenChain
from subgraphs.common.runtime import Runtime
from subgraphs.domains import DOMAINS

TABLE = DOMAINS["auth"].get_table("audit")


async def execute_without_trigger(runtime: Runtime, statement: str) -> None:
    """Change the log as somebody could who owns the table."""
    async with runtime.unit_of_work() as uow:
        await uow.session.execute(text("ALTER TABLE auth.audit DISABLE TRIGGER audit_is_append_only"))
        await uow.session.execute(text(statement))
        await uow.session.execute(text("ALTER TABLE auth.audit ENABLE TRIGGER audit_is_append_only"))


@pytest.fixture(autouse=True)
async def _empty(runtime: Runtime) -> AsyncIterator[None]:
    await execute_without_trigger(runtime, "DELETE FROM auth.audit")
    yield
    await execute_without_trigger(runtime, "DELETE FROM auth.audit")


async def record(runtime: Runtime, *actions: str) -> None:
    for action in actions:
        async with runtime.unit_of_work() as uow:
            await uow.audit(AuditEntry("usr_staff", action, "ord_1", "usr_ada", "Delivered by hand"))


async def verify(runtime: Runtime) -> tuple[int, str]:
    async with runtime.unit_of_work() as uow:
        return await audit.verify(uow.session, TABLE)


async def test_an_entry_says_who_did_what_to_whose_data_and_why(runtime: Runtime) -> None:
    await record(runtime, "confirm_delivery")
    async with runtime.database.read() as session:
        [row] = (await session.execute(select(TABLE))).all()
    assert (row.sequence, row.actor, row.action, row.subject) == (1, "usr_staff", "confirm_delivery", "ord_1")
    assert (row.owner_id, row.reason) == ("usr_ada", "Delivered by hand")
    assert await verify(runtime) == (1, row.hash)


async def test_concurrent_entries_form_one_chain(runtime: Runtime) -> None:
    await asyncio.gather(*(record(runtime, f"action_{n}") for n in range(8)))
    assert (await verify(runtime))[0] == 8


async def test_an_entry_is_written_only_with_its_transaction(runtime: Runtime) -> None:
    async def fail() -> None:
        async with runtime.unit_of_work() as uow:
            await uow.audit(AuditEntry("usr_staff", "confirm_delivery", "ord_1"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await verify(runtime) == (0, "0" * 64)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE auth.audit SET actor = 'nobody'", "DELETE FROM auth.audit", "TRUNCATE auth.audit"],
)
async def test_entries_cannot_be_changed(runtime: Runtime, statement: str) -> None:
    await record(runtime, "confirm_delivery")
    before = await verify(runtime)

    async def execute() -> None:
        async with runtime.unit_of_work() as uow:
            await uow.session.execute(text(statement))

    with pytest.raises(DBAPIError, match="append-only"):
        await execute()
    assert await verify(runtime) == before


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE auth.audit SET actor = 'nobody' WHERE sequence = 2", "entry 2 is not what was written"),
        ("UPDATE auth.audit SET at = at + interval '1 us' WHERE sequence = 3", "entry 3 is not what was"),
        ("DELETE FROM auth.audit WHERE sequence = 2", "entry 2 is missing"),
        ("UPDATE auth.audit SET hash = repeat('0', 64) WHERE sequence = 1", "entry 1 is not what was"),
    ],
)
async def test_a_change_behind_the_trigger_is_found(runtime: Runtime, statement: str, problem: str) -> None:
    await record(runtime, "first", "second", "third")
    await execute_without_trigger(runtime, statement)
    with pytest.raises(BrokenChain, match=problem):
        await verify(runtime)
