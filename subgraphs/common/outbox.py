"""The outbox and the inbox: messages that are sent when a transaction commits, and take effect once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, DateTime, MetaData, String, Table, delete, insert, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from subgraphs.common.ids import new_id
from subgraphs.common.messages import Event, Message
from subgraphs.common.telemetry import build_traceparent

CHANNEL = "outbox"
"""The PostgreSQL notification channel that wakes the relay."""


def create_outbox_table(metadata: MetaData) -> Table:
    """Create the outbox of a domain; the relay deletes each row when it has passed on the message."""
    return Table(
        "outbox",
        metadata,
        Column("id", String(40), primary_key=True),
        Column("kind", String(8), nullable=False),
        Column("name", String(100), nullable=False),
        Column("payload", JSONB, nullable=False),
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
    """A message in the outbox; if it is relayed several times, its id is the same."""

    id: str
    kind: str
    name: str
    payload: dict[str, Any]
    traceparent: str
    not_before: datetime | None


async def append(
    session: AsyncSession, table: Table, message: Message, *, now: datetime, not_before: datetime | None
) -> None:
    """Write a message in the transaction that sends it, and wake the relay when that commits."""
    await session.execute(
        insert(table).values(
            id=new_id("msg"),
            kind="event" if isinstance(message, Event) else "job",
            name=message.name(),
            payload=message.payload(),
            traceparent=build_traceparent(),
            not_before=not_before,
            created_at=now,
        )
    )
    await session.execute(text(f"NOTIFY {CHANNEL}"))


async def take(session: AsyncSession, table: Table, limit: int) -> list[OutboxRow]:
    """Lock and return the oldest rows that no other relay has locked, and delete them on commit."""
    rows = await session.execute(
        select(table).order_by(table.c.id).limit(limit).with_for_update(skip_locked=True)
    )
    taken = [
        OutboxRow(row.id, row.kind, row.name, row.payload, row.traceparent, row.not_before) for row in rows
    ]
    await session.execute(delete(table).where(table.c.id.in_([row.id for row in taken])))
    return taken


async def receive(session: AsyncSession, table: Table, consumer: str, message_id: str, now: datetime) -> bool:
    """Record that a consumer handles a message; false when it has already handled it."""
    row = await session.scalar(
        upsert(table)
        .values(consumer=consumer, message_id=message_id, received_at=now)
        .on_conflict_do_nothing()
        .returning(table.c.consumer)
    )
    return row is not None
