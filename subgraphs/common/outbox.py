"""The outbox and the inbox: messages that are sent when a transaction commits, and take effect once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, DateTime, Integer, MetaData, String, Table, delete, func, insert, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from subgraphs.common.ids import new_id
from subgraphs.common.messages import Event, Message
from subgraphs.common.telemetry import build_traceparent

CHANNEL = "outbox"
"""The PostgreSQL notification channel that wakes the relay."""


def create_outbox_table(metadata: MetaData) -> Table:
    """Create the outbox of a domain; the relay replaces each row by the deliveries of its message."""
    return Table(
        "outbox",
        metadata,
        Column("id", String(40), primary_key=True),
        Column("kind", String(8), nullable=False),
        Column("name", String(100), nullable=False),
        Column("version", Integer, nullable=False),
        Column("payload", JSONB, nullable=False),
        Column("owner_id", String(40)),
        Column("traceparent", String(64), nullable=False),
        Column("not_before", DateTime(timezone=True)),
        Column("created_at", DateTime(timezone=True), nullable=False),
    )


def create_inbox_table(metadata: MetaData) -> Table:
    """Create the inbox of a domain, with a row for each event that a consumer has handled."""
    return Table(
        "inbox",
        metadata,
        Column("consumer", String(100), primary_key=True),
        Column("message_id", String(100), primary_key=True),
        Column("received_at", DateTime(timezone=True), nullable=False),
    )


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A message in the outbox; `owner_id` is the parent whose turn its job takes, if it has one."""

    id: str
    kind: str
    name: str
    version: int
    payload: dict[str, Any]
    owner_id: str | None
    traceparent: str
    not_before: datetime | None


async def append(
    session: AsyncSession,
    table: Table,
    message: Message,
    *,
    owner_id: str | None,
    now: datetime,
    not_before: datetime | None,
) -> None:
    """Write a message in the transaction that sends it, and wake the relay when that commits."""
    await session.execute(
        insert(table).values(
            id=new_id("msg"),
            kind="event" if isinstance(message, Event) else "job",
            name=message.name(),
            version=message.version,
            payload=message.to_payload(),
            owner_id=owner_id,
            traceparent=build_traceparent(),
            not_before=not_before,
            created_at=now,
        )
    )
    await session.execute(text(f"NOTIFY {CHANNEL}"))


async def take(
    session: AsyncSession, table: Table, limit: int, known_events: Collection[str]
) -> list[OutboxRow]:
    """Lock and return the oldest rows that no other relay has locked, and delete them on commit.

    Events that this relay does not know wait for one that does: it cannot say who consumes them.
    """
    is_known = (table.c.kind == "job") | table.c.name.in_(known_events)
    rows = await session.execute(
        select(table).where(is_known).order_by(table.c.id).limit(limit).with_for_update(skip_locked=True)
    )
    taken = [
        OutboxRow(
            id=row.id,
            kind=row.kind,
            name=row.name,
            version=row.version,
            payload=row.payload,
            owner_id=row.owner_id,
            traceparent=row.traceparent,
            not_before=row.not_before,
        )
        for row in rows
    ]
    if taken:
        await session.execute(delete(table).where(table.c.id.in_([row.id for row in taken])))
    return taken


async def count_rows(session: AsyncSession, table: Table) -> int:
    """Count the messages that no relay has taken."""
    return await session.scalar(select(func.count()).select_from(table)) or 0


async def receive(session: AsyncSession, table: Table, consumer: str, message_id: str, now: datetime) -> bool:
    """Record that a consumer handles a message; false when it has already handled it."""
    row = await session.scalar(
        upsert(table)
        .values(consumer=consumer, message_id=message_id, received_at=now)
        .on_conflict_do_nothing()
        .returning(table.c.consumer)
    )
    return row is not None


async def prune_inbox(session: AsyncSession, table: Table, retention: timedelta, limit: int) -> int:
    """Delete up to `limit` rows that are older than the retention; return their number."""
    old = (
        select(table.c.consumer, table.c.message_id)
        .where(table.c.received_at < func.now() - retention)
        .limit(limit)
        .subquery()
    )
    deleted = await session.execute(
        delete(table).where(table.c.consumer == old.c.consumer, table.c.message_id == old.c.message_id)
    )
    return int(deleted.rowcount)  # type: ignore[attr-defined]  # the result of a DELETE has it
