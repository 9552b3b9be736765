"""All SQL of the orders domain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from subgraphs.common.errors import NotFound
from subgraphs.common.pagination import Page, PageRequest, pages
from subgraphs.orders.models import Order, OrderTransition, Payment, Quote

Row = TypeVar("Row", Order, Quote)


async def quotes_by_id(session: AsyncSession, owner_id: str, ids: Sequence[str]) -> dict[str, Quote]:
    """An owner's quotes by id."""
    rows = await session.scalars(select(Quote).where(Quote.id.in_(ids), Quote.owner_id == owner_id))
    return {row.id: row for row in rows}


async def orders_by_id(session: AsyncSession, owner_id: str, ids: Sequence[str]) -> dict[str, Order]:
    """An owner's orders by id."""
    rows = await session.scalars(select(Order).where(Order.id.in_(ids), Order.owner_id == owner_id))
    return {row.id: row for row in rows}


async def get_order(session: AsyncSession, owner_id: str, id: str) -> Order:
    """An owner's order; NotFound when it is not theirs."""
    return _require("Order", id, (await orders_by_id(session, owner_id, [id])).get(id))


async def lock_quote(session: AsyncSession, owner_id: str, id: str) -> Quote:
    """An owner's quote, locked; NotFound when it is not theirs."""
    row = await session.scalar(
        select(Quote).where(Quote.id == id, Quote.owner_id == owner_id).with_for_update()
    )
    return _require("Quote", id, row)


async def lock_order(session: AsyncSession, owner_id: str, id: str) -> Order:
    """An owner's order, locked; NotFound when it is not theirs."""
    row = await session.scalar(
        select(Order).where(Order.id == id, Order.owner_id == owner_id).with_for_update()
    )
    return _require("Order", id, row)


async def lock_any_order(session: AsyncSession, id: str) -> Order:
    """An order, locked, for a task or for staff, whosever it is."""
    return _require("Order", id, await session.get(Order, id, with_for_update=True))


async def any_order(session: AsyncSession, id: str) -> Order:
    """An order for a task, whosever it is."""
    return _require("Order", id, await session.get(Order, id))


async def order_of_quote(session: AsyncSession, quote_id: str) -> Order | None:
    """The order that a quote was turned into."""
    return await session.scalar(select(Order).where(Order.quote_id == quote_id))


async def payment_of(session: AsyncSession, order_id: str) -> Payment:
    """An order's payment; it is made with the order."""
    return (await session.scalars(select(Payment).where(Payment.order_id == order_id))).one()


async def payments_of(session: AsyncSession, order_ids: Sequence[str]) -> dict[str, Payment]:
    """Payments by order."""
    rows = await session.scalars(select(Payment).where(Payment.order_id.in_(order_ids)))
    return {row.order_id: row for row in rows}


async def payments_by_id(session: AsyncSession, owner_id: str, ids: Sequence[str]) -> dict[str, Payment]:
    """Payments of an owner's orders by their own id."""
    rows = await session.scalars(
        select(Payment)
        .join(Order, Order.id == Payment.order_id)
        .where(Payment.id.in_(ids), Order.owner_id == owner_id)
    )
    return {row.id: row for row in rows}


async def transitions_of(
    session: AsyncSession, order_ids: Sequence[str], after: int = 0
) -> dict[str, Sequence[OrderTransition]]:
    """What happened to each order after a sequence number, oldest first."""
    rows = await session.scalars(
        select(OrderTransition)
        .where(OrderTransition.order_id.in_(order_ids), OrderTransition.sequence > after)
        .order_by(OrderTransition.order_id, OrderTransition.sequence)
    )
    grouped: defaultdict[str, list[OrderTransition]] = defaultdict(list)
    for row in rows:
        grouped[row.order_id].append(row)
    return dict(grouped)


async def orders_of_books(
    session: AsyncSession, owner_id: str, book_ids: Sequence[str]
) -> dict[str, Sequence[Order]]:
    """An owner's orders by book, newest first."""
    rows = await session.scalars(
        select(Order).where(Order.book_id.in_(book_ids), Order.owner_id == owner_id).order_by(Order.id.desc())
    )
    grouped: defaultdict[str, list[Order]] = defaultdict(list)
    for row in rows:
        grouped[row.book_id].append(row)
    return dict(grouped)


async def orders_of_users(
    session: AsyncSession, owner_id: str, user_ids: Sequence[str], request: PageRequest
) -> dict[str, Page[Order]]:
    """A page of each user's orders, newest first: the owner's own, and no one else's."""
    return await pages(session, Order, Order.owner_id, user_ids, request, Order.owner_id == owner_id)


def _require(kind: str, id: str, row: Row | None) -> Row:
    if row is None:
        raise NotFound(kind, id)
    return row
