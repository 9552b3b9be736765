"""Deliveries: a message on its way to one handler, kept until the handler reports that it is done.

PostgreSQL is the truth of what is due, and the queue in Redis only the way to a worker. `due_at` is when the
relay puts a delivery on the queue, and does so again if nobody reported on it by then. A worker that claims
a delivery holds it under a lease, which is again `due_at`, and keeps moving it on. `ready_at` is when it was
due at first. An example that fails once:

    10:00:00  dispatched           DUE   attempts 0  due_at 10:00:00
    10:00:00  queued               DUE   attempts 0  due_at 10:00:30, in case the queue loses it
    10:00:02  claimed              DUE   attempts 1  due_at 10:00:12, in case the worker dies
    10:00:05  lease renewed        DUE   attempts 1  due_at 10:00:15
    10:00:06  failed               DUE   attempts 1  due_at 10:00:08, after a pause
    10:00:08  queued and claimed   DUE   attempts 2  due_at 10:00:18
    10:00:09  done                 DONE  attempts 2

`attempts` fences as well: it is on the queue beside the id, and only a worker that knows the current number
may claim, renew, or finish. A worker that was paused for longer than its lease finds that it has lost it.

All times are PostgreSQL's, so that the clocks of workers do not matter.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from subgraphs.common.database import create_enum_type

MAX_ATTEMPTS: Final = 30
"""The attempts after which a delivery is parked; with the pauses between them that takes a day."""
LEASE: Final = timedelta(seconds=10)
"""How long a claim lasts unless it is renewed."""
QUEUE_TIMEOUT: Final = timedelta(seconds=30)
"""How long a delivery may wait on the queue before the relay puts it there again, in case it was lost."""
_FIRST_PAUSE: Final = timedelta(seconds=2)
_MAX_PAUSE: Final = timedelta(hours=1)
_MAX_ERROR_LENGTH: Final = 1000


class DeliveryState(StrEnum):
    """The state of a delivery; the domain has REFUSED what it would refuse again."""

    DUE = "DUE"
    DONE = "DONE"
    REFUSED = "REFUSED"
    PARKED = "PARKED"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as its handler needs it; `turn` orders the queue."""

    id: str
    message_id: str
    destination: str
    queue: str
    version: int
    payload: dict[str, Any]
    owner_id: str | None
    traceparent: str
    state: DeliveryState
    attempts: int
    turn: int | None
    due_at: datetime
    error: str | None


def create_deliveries_table(metadata: MetaData) -> Table:
    """Create the deliveries of the messages that a domain has sent."""
    table = Table(
        "deliveries",
        metadata,
        Column("id", String(160), primary_key=True),
        Column("message_id", String(100), nullable=False),
        Column("destination", String(100), nullable=False),
        Column("queue", String(20), nullable=False),
        Column("version", Integer, nullable=False),
        Column("payload", JSONB, nullable=False),
        Column("owner_id", String(40)),
        Column("traceparent", String(64), nullable=False),
        Column("state", create_enum_type(DeliveryState), nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("turn", BigInteger),
        Column("ready_at", DateTime(timezone=True), nullable=False),
        Column("due_at", DateTime(timezone=True), nullable=False),
        Column("finished_at", DateTime(timezone=True)),
        Column("error", Text),
    )
    is_due = table.c.state == DeliveryState.DUE
    Index(None, table.c.due_at, postgresql_where=is_due)
    Index(None, table.c.queue, table.c.owner_id, postgresql_where=is_due)
    Index(None, table.c.state, table.c.finished_at)
    return table


async def add(session: AsyncSession, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add deliveries by their columns, due now unless `due_at` is later; existing ones stay as they are."""
    values = [
        {
            **row,
            "state": DeliveryState.DUE,
            "attempts": 0,
            "due_at": row.get("due_at") or func.now(),
            "ready_at": row.get("due_at") or func.now(),
        }
        for row in rows
    ]
    await session.execute(upsert(table).values(values).on_conflict_do_nothing())


async def take_due(
    session: AsyncSession, table: Table, limit: int, look_ahead: timedelta
) -> tuple[list[Delivery], timedelta]:
    """Lock and return the deliveries that are due, and the time until the next one, `look_ahead` at most."""
    rows = await session.execute(
        select(table, (table.c.due_at - func.now()).label("wait"))
        .where(table.c.state == DeliveryState.DUE, table.c.due_at <= func.now() + look_ahead)
        .order_by(table.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = rows.all()
    later = [row.wait for row in found if row.wait > timedelta()]
    due = [_to_delivery(row) for row in found if row.wait <= timedelta()]
    return due, min(later, default=look_ahead)


async def load_last_turns(
    session: AsyncSession, table: Table, keys: Collection[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """Load the last turn of each pair of a queue and an owner who has deliveries waiting there."""
    key = tuple_(table.c.queue, table.c.owner_id)
    rows = await session.execute(
        select(table.c.queue, table.c.owner_id, func.max(table.c.turn))
        .where(table.c.state == DeliveryState.DUE, table.c.turn.is_not(None), key.in_(list(keys)))
        .group_by(table.c.queue, table.c.owner_id)
    )
    return {(queue, owner): turn for queue, owner, turn in rows}


async def mark_queued(session: AsyncSession, table: Table, turns: Mapping[str, int]) -> None:
    """Record the turns of deliveries that are put on the queue, by id."""
    await (await session.connection()).execute(
        update(table)
        .where(table.c.id == bindparam("delivery_id"))
        .values(turn=bindparam("new_turn"), due_at=func.now() + QUEUE_TIMEOUT),
        [{"delivery_id": key, "new_turn": turn} for key, turn in turns.items()],
    )


async def park(session: AsyncSession, table: Table, ids: Collection[str]) -> None:
    """Park deliveries: they are not tried again until someone retries them."""
    await session.execute(
        update(table)
        .where(table.c.id.in_(list(ids)))
        .values(state=DeliveryState.PARKED, finished_at=func.now())
    )


async def claim(session: AsyncSession, table: Table, delivery_id: str, attempts: int) -> Delivery | None:
    """Claim a delivery under a lease; None when it has been claimed or finished since it was queued."""
    rows = await session.execute(
        update(table)
        .where(_is_held(table, delivery_id, attempts))
        .values(attempts=attempts + 1, due_at=func.now() + LEASE)
        .returning(table)
    )
    row = rows.one_or_none()
    return _to_delivery(row) if row is not None else None


async def renew_leases(session: AsyncSession, table: Table, held: Iterable[Delivery]) -> set[str]:
    """Renew the leases of claimed deliveries; return the ids of those that are still held."""
    key = tuple_(table.c.id, table.c.attempts)
    rows = await session.scalars(
        update(table)
        .where(table.c.state == DeliveryState.DUE, key.in_([(each.id, each.attempts) for each in held]))
        .values(due_at=func.now() + LEASE)
        .returning(table.c.id)
    )
    return set(rows)


async def finish(
    session: AsyncSession, table: Table, held: Delivery, state: DeliveryState, error: str | None = None
) -> bool:
    """Record the outcome of a claimed delivery; false when it is not held any more."""
    return await _update_held(
        session, table, held, state=state, finished_at=func.now(), error=error and error[:_MAX_ERROR_LENGTH]
    )


async def fail(session: AsyncSession, table: Table, held: Delivery, error: str) -> bool:
    """Record that an attempt failed: the next is due after a pause; the last one parks the delivery."""
    if held.attempts >= MAX_ATTEMPTS:
        return await finish(session, table, held, DeliveryState.PARKED, error)
    pause = compute_pause(held.attempts)
    return await _update_held(
        session, table, held, due_at=func.now() + pause, error=error[:_MAX_ERROR_LENGTH]
    )


async def release(session: AsyncSession, table: Table, held: Delivery) -> bool:
    """Give up a claimed delivery, which another worker may then claim at once."""
    return await _update_held(session, table, held, due_at=func.now())


def compute_pause(attempts: int) -> timedelta:
    """Compute the pause after an attempt: 2, 4, 8 seconds and so on, up to an hour."""
    return min(_MAX_PAUSE, _FIRST_PAUSE * (1 << min(attempts - 1, 20)))


async def list_deliveries(
    session: AsyncSession, table: Table, state: DeliveryState, limit: int
) -> list[Delivery]:
    """List the deliveries in a state, those that have been due longest first."""
    rows = await session.execute(
        select(table).where(table.c.state == state).order_by(table.c.due_at).limit(limit)
    )
    return [_to_delivery(row) for row in rows]


async def retry(session: AsyncSession, table: Table, delivery_id: str) -> bool:
    """Let a parked or refused delivery be tried again from the first attempt; false when there is none."""
    return await _update_stopped(
        session,
        table,
        delivery_id,
        state=DeliveryState.DUE,
        attempts=0,
        ready_at=func.now(),
        due_at=func.now(),
        finished_at=None,
    )


async def discard(session: AsyncSession, table: Table, delivery_id: str) -> bool:
    """Delete a parked or refused delivery; false when there is none."""
    deleted = await session.scalars(
        delete(table).where(_is_stopped(table, delivery_id)).returning(table.c.id)
    )
    return bool(deleted.all())


async def count_parked(session: AsyncSession, table: Table) -> int:
    """Count the parked deliveries."""
    found = await session.scalar(select(func.count()).where(table.c.state == DeliveryState.PARKED))
    return found or 0


async def count_by_queue(
    session: AsyncSession, table: Table
) -> list[tuple[str, DeliveryState, int, timedelta]]:
    """Count the deliveries of each queue that are not done; the time is how long the oldest has been so."""
    since = func.coalesce(table.c.finished_at, table.c.ready_at)
    rows = await session.execute(
        select(table.c.queue, table.c.state, func.count(), func.now() - func.min(since))
        .where(table.c.state.in_(set(DeliveryState) - {DeliveryState.DONE}), since <= func.now())
        .group_by(table.c.queue, table.c.state)
    )
    return [(queue, state, count, age) for queue, state, count, age in rows]


async def prune(session: AsyncSession, table: Table, retention: timedelta, limit: int) -> int:
    """Delete up to `limit` deliveries that were done or refused before the retention; return their number."""
    old = (
        select(table.c.id)
        .where(
            table.c.state.in_([DeliveryState.DONE, DeliveryState.REFUSED]),
            table.c.finished_at < func.now() - retention,
        )
        .limit(limit)
    )
    return len((await session.scalars(delete(table).where(table.c.id.in_(old)).returning(table.c.id))).all())


def _is_held(table: Table, delivery_id: str, attempts: int) -> Any:
    return (table.c.id == delivery_id) & (table.c.attempts == attempts) & (table.c.state == DeliveryState.DUE)


def _is_stopped(table: Table, delivery_id: str) -> Any:
    return (table.c.id == delivery_id) & table.c.state.in_([DeliveryState.PARKED, DeliveryState.REFUSED])


async def _update_held(session: AsyncSession, table: Table, held: Delivery, **values: Any) -> bool:
    statement = update(table).where(_is_held(table, held.id, held.attempts)).values(values)
    return bool((await session.scalars(statement.returning(table.c.id))).all())


async def _update_stopped(session: AsyncSession, table: Table, delivery_id: str, **values: Any) -> bool:
    statement = update(table).where(_is_stopped(table, delivery_id)).values(values)
    return bool((await session.scalars(statement.returning(table.c.id))).all())


def _to_delivery(row: Any) -> Delivery:
    return Delivery(**{field.name: getattr(row, field.name) for field in fields(Delivery)})
