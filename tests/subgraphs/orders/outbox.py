"""The outbox of the orders domain."""

from __future__ import annotations

from sqlalchemy import select

from subgraphs.orders.models import Table
from tests.support.subgraph import SubgraphClient


async def read_messages(orders: SubgraphClient, order_id: str) -> list[str]:
    outbox = Table.metadata.tables["orders.outbox"]
    async with orders.runtime.database.read() as session:
        rows = await session.scalars(
            select(outbox.c.name).where(outbox.c.payload["order_id"].astext == order_id).order_by(outbox.c.id)
        )
        return list(rows)
