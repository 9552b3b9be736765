"""Reading the outbox of the books domain."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from subgraphs.books.models import Table
from subgraphs.common.runtime import Runtime

_OUTBOX = Table.metadata.tables["books.outbox"]


async def read_messages(runtime: Runtime, name: str, **payload: Any) -> list[dict[str, Any]]:
    """Read the payloads of the messages of this name that contain these values."""
    async with runtime.database.read() as session:
        rows = await session.scalars(
            select(_OUTBOX.c.payload).where(_OUTBOX.c.name == f"books.{name}").order_by(_OUTBOX.c.id)
        )
    return [row for row in rows if payload.items() <= row.items()]
