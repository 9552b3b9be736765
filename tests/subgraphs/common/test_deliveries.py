"""Deliveries: what PostgreSQL records of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import delete, func, select, update

from subgraphs.common import deliveries, outbox
from subgraphs.common.deliveries import DeliveryState
from subgraphs.common.runtime import Runtime
from subgraphs.domains import DOMAINS
from tests.support.deliveries import build_delivery_row

TABLE = DOMAINS["auth"].get_table("deliveries")
INBOX = DOMAINS["auth"].get_table("inbox")
RETENTION = timedelta(days=30)


@pytest.fixture(autouse=True)
async def _empty(runtime: Runtime) -> AsyncIterator[None]:
    yield
    async with runtime.unit_of_work() as uow:
        await uow.session.execute(delete(TABLE))


def build_row(queue: str = "default", **columns: Any) -> dict[str, Any]:
    return build_delivery_row("auth.Greet", queue, **columns)


async def add(runtime: Runtime, *rows: dict[str, Any], **changes: Any) -> list[str]:
    """Add deliveries and change their columns; return their ids."""
    ids = [row["id"] for row in rows]
    async with runtime.unit_of_work() as uow:
        await deliveries.add(uow.session, TABLE, rows)
        if changes:
            await uow.session.execute(update(TABLE).where(TABLE.c.id.in_(ids)).values(changes))
    return ids


async def list_ids(runtime: Runtime) -> set[str]:
    async with runtime.database.read() as session:
        return set(await session.scalars(select(TABLE.c.id)))


async def test_what_is_done_or_refused_is_pruned_after_the_retention(runtime: Runtime) -> None:
    long_ago = {"finished_at": func.now() - timedelta(days=31)}
    gone = await add(runtime, build_row(), state=DeliveryState.DONE, **long_ago)
    gone += await add(runtime, build_row(), state=DeliveryState.REFUSED, **long_ago)
    kept = await add(runtime, build_row(), state=DeliveryState.PARKED, **long_ago)
    kept += await add(runtime, build_row(), state=DeliveryState.DONE, finished_at=func.now())
    kept += await add(runtime, build_row(), due_at=func.now() - timedelta(days=90))
    async with runtime.unit_of_work() as uow:
        assert await deliveries.prune(uow.session, TABLE, RETENTION, 1) == 1
        assert await deliveries.prune(uow.session, TABLE, RETENTION, 100) == 1
        assert await deliveries.prune(uow.session, TABLE, RETENTION, 100) == 0
    assert await list_ids(runtime) == set(kept)
    assert not await list_ids(runtime) & set(gone)


async def test_received_messages_are_pruned_after_the_retention(runtime: Runtime) -> None:
    old, new = uuid4().hex, uuid4().hex
    async with runtime.unit_of_work() as uow:
        for message_id, age in ((old, 31), (new, 29)):
            await outbox.receive(uow.session, INBOX, "auth.greet", message_id, uow.now - timedelta(days=age))
    async with runtime.unit_of_work() as uow:
        assert await outbox.prune_inbox(uow.session, INBOX, RETENTION, 1000) >= 1
        assert not await outbox.receive(uow.session, INBOX, "auth.greet", new, uow.now)
        assert await outbox.receive(uow.session, INBOX, "auth.greet", old, uow.now)


async def test_only_a_parked_or_refused_delivery_can_be_retried_or_discarded(runtime: Runtime) -> None:
    due, parked, refused = build_row(), build_row(), build_row()
    await add(runtime, due)
    await add(runtime, parked, state=DeliveryState.PARKED, attempts=30, finished_at=func.now())
    await add(runtime, refused, state=DeliveryState.REFUSED, attempts=1, finished_at=func.now())
    async with runtime.unit_of_work() as uow:
        for action in (deliveries.retry, deliveries.discard):
            assert not await action(uow.session, TABLE, due["id"])
            assert not await action(uow.session, TABLE, "nowhere")
        assert await deliveries.retry(uow.session, TABLE, parked["id"])
        assert await deliveries.discard(uow.session, TABLE, refused["id"])
    assert await list_ids(runtime) == {due["id"], parked["id"]}
    async with runtime.unit_of_work() as uow:
        retried = await deliveries.claim(uow.session, TABLE, parked["id"], 0)
    assert retried is not None
    assert (retried.state, retried.attempts) == (DeliveryState.DUE, 1)


async def test_deliveries_are_counted_by_queue_and_state(runtime: Runtime) -> None:
    await add(runtime, build_row("ai"), build_row("ai"), ready_at=func.now() - timedelta(minutes=5))
    await add(runtime, build_row("ai"), ready_at=func.now() + timedelta(minutes=5))
    await add(runtime, build_row("mail"), state=DeliveryState.DONE, finished_at=func.now())
    await add(
        runtime,
        build_row("mail"),
        state=DeliveryState.PARKED,
        finished_at=func.now() - timedelta(minutes=7),
    )
    async with runtime.database.read() as session:
        found = await deliveries.count_by_queue(session, TABLE)
        assert await deliveries.count_parked(session, TABLE) == 1
    rounded = {(queue, state): (count, age // timedelta(minutes=1)) for queue, state, count, age in found}
    assert rounded == {("ai", DeliveryState.DUE): (2, 5), ("mail", DeliveryState.PARKED): (1, 7)}


async def test_an_error_is_recorded_up_to_a_length_and_only_by_the_holder(runtime: Runtime) -> None:
    [id_] = await add(runtime, build_row())
    async with runtime.unit_of_work() as uow:
        held = await deliveries.claim(uow.session, TABLE, id_, 0)
        assert held is not None
        assert await deliveries.fail(uow.session, TABLE, held, "x" * 5000)
        earlier = replace(held, attempts=0)
        assert not await deliveries.finish(uow.session, TABLE, earlier, DeliveryState.DONE)
    async with runtime.database.read() as session:
        [failed] = await deliveries.list_deliveries(session, TABLE, DeliveryState.DUE, 10)
    assert failed.error == "x" * 1000
