"""The outbox of the orders domain."""

from __future__ import annotations

from sqlalchemy import Text, cast, select

from subgraphs.orders.models import Table
from tests.support.subgraph import SubgraphClient


async def read_messages(orders: SubgraphClient, id_: str) -> list[str]:
    """The names of the messages about a row, oldest first."""
    outbox = Table.metadata.tables["orders.outbox"]
    async with orders.runtime.database.read() as session:
        rows = await session.scalars(
            select(outbox.c.name).where(cast(outbox.c.payload, Text).contains(id_)).order_by(outbox.c.id)
        )
        return list(rows)
