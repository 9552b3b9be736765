"""The outbox of the auth domain."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from subgraphs.auth.models import Table
from tests.support.subgraph import SubgraphClient


async def read_events(auth: SubgraphClient, user_id: str) -> list[tuple[str, dict[str, Any]]]:
    outbox = Table.metadata.tables["auth.outbox"]
    async with auth.runtime.database.read() as session:
        rows = await session.execute(
            select(outbox.c.name, outbox.c.payload)
            .where(outbox.c.payload["user_id"].astext == user_id)
            .order_by(outbox.c.id)
        )
        return [(row.name, row.payload) for row in rows]
