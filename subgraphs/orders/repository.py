"""All SQL of the orders domain. Whatever belongs to a parent is read with the parent's id."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from subgraphs.common.database import group_by
from subgraphs.common.errors import require_found
from subgraphs.common.pagination import Page, PageRequest, load_pages
from subgraphs.orders.models import Order, OrderTransition, PaymentAttempt, Quote, Refund
from subgraphs.orders.states import AttemptStatus


async def load_quotes(session: AsyncSession, owner_id: str, ids: Sequence[str]) -> dict[str, Quote]:
    """Load an owner's quotes by id."""
    rows = await session.scalars(select(Quote).where(Quote.id.in_(ids), Quote.owner_id == owner_id))
    return {row.id: row for row in rows}


async def load_orders(session: AsyncSession, owner_id: str, ids: Sequence[str]) -> dict[str, Order]:
    """Load an owner's orders by id."""
    rows = await session.scalars(select(Order).where(Order.id.in_(ids), Order.owner_id == owner_id))
    return {row.id: row for row in rows}


async def load_attempts(
    session: AsyncSession, owner_id: str, ids: Sequence[str]
) -> dict[str, PaymentAttempt]:
    """Load the payment attempts of an owner's orders by id."""
    rows = await session.scalars(
        select(PaymentAttempt)
        .join(Order, Order.id == PaymentAttempt.order_id)
        .where(PaymentAttempt.id.in_(ids), Order.owner_id == owner_id)
    )
    return {row.id: row for row in rows}


async def load_attempts_of_orders(
    session: AsyncSession, order_ids: Sequence[str]
) -> dict[str, list[PaymentAttempt]]:
    """Load the payment attempts of each order, oldest first."""
    rows = await session.scalars(
        select(PaymentAttempt)
        .where(PaymentAttempt.order_id.in_(order_ids))
        .order_by(PaymentAttempt.order_id, PaymentAttempt.number)
    )
    return group_by(rows, lambda row: row.order_id)


async def load_refunds_of_attempts(
    session: AsyncSession, attempt_ids: Sequence[str]
) -> dict[str, list[Refund]]:
    """Load the refunds of each payment attempt, oldest first."""
    rows = await session.scalars(
        select(Refund).where(Refund.attempt_id.in_(attempt_ids)).order_by(Refund.attempt_id, Refund.id)
    )
    return group_by(rows, lambda row: row.attempt_id)


async def load_transitions_of_orders(
    session: AsyncSession, order_ids: Sequence[str], after: int = 0
) -> dict[str, list[OrderTransition]]:
    """Load the transitions of each order after a sequence number, oldest first."""
    rows = await session.scalars(
        select(OrderTransition)
        .where(OrderTransition.order_id.in_(order_ids), OrderTransition.sequence > after)
        .order_by(OrderTransition.order_id, OrderTransition.sequence)
    )
    return group_by(rows, lambda row: row.order_id)


async def load_orders_of_books(
    session: AsyncSession, owner_id: str, book_ids: Sequence[str]
) -> dict[str, list[Order]]:
    """Load an owner's orders by book, newest first."""
    rows = await session.scalars(
        select(Order).where(Order.book_id.in_(book_ids), Order.owner_id == owner_id).order_by(Order.id.desc())
    )
    return group_by(rows, lambda row: row.book_id)


async def load_orders_of_users(
    session: AsyncSession, owner_id: str, user_ids: Sequence[str], request: PageRequest
) -> dict[str, Page[Order]]:
    """Load a page of the owner's orders, newest first, if the owner is among these users, by user."""
    return await load_pages(session, Order, Order.owner_id, user_ids, request, Order.owner_id == owner_id)


async def get_order(session: AsyncSession, owner_id: str, order_id: str) -> Order:
    """Get an owner's order; NotFound when there is none."""
    return require_found("Order", order_id, (await load_orders(session, owner_id, [order_id])).get(order_id))


async def get_any_order(session: AsyncSession, order_id: str) -> Order:
    """Get an order of any owner, for a task; NotFound when there is none."""
    return require_found("Order", order_id, await session.get(Order, order_id))


async def lock_quote(session: AsyncSession, owner_id: str, quote_id: str) -> Quote:
    """Lock an owner's quote; NotFound when there is none.

    The lock allows others to refer to the quote, as PostgreSQL does for whoever changes its order twice in a
    transaction. They may hold the order, which is locked after the quote.
    """
    row = await session.scalar(
        select(Quote).where(Quote.id == quote_id, Quote.owner_id == owner_id).with_for_update(key_share=True)
    )
    return require_found("Quote", quote_id, row)


async def lock_order(session: AsyncSession, owner_id: str, order_id: str) -> Order:
    """Lock an owner's order; NotFound when there is none."""
    row = await session.scalar(
        select(Order).where(Order.id == order_id, Order.owner_id == owner_id).with_for_update()
    )
    return require_found("Order", order_id, row)


async def lock_any_order(session: AsyncSession, order_id: str) -> Order:
    """Lock an order of any owner, for a task or for staff; NotFound when there is none."""
    return require_found("Order", order_id, await session.get(Order, order_id, with_for_update=True))


async def find_order_of_quote(session: AsyncSession, quote_id: str) -> Order | None:
    """Find the order that was made from a quote, and lock it."""
    return await session.scalar(select(Order).where(Order.quote_id == quote_id).with_for_update())


async def get_attempt(session: AsyncSession, owner_id: str, attempt_id: str) -> PaymentAttempt:
    """Get a payment attempt of an owner's order; NotFound when there is none."""
    attempts = await load_attempts(session, owner_id, [attempt_id])
    return require_found("PaymentAttempt", attempt_id, attempts.get(attempt_id))


async def get_any_attempt(session: AsyncSession, attempt_id: str) -> PaymentAttempt:
    """Get a payment attempt of any owner, for a task; NotFound when there is none."""
    return require_found("PaymentAttempt", attempt_id, await session.get(PaymentAttempt, attempt_id))


async def find_current_attempt(session: AsyncSession, order_id: str) -> PaymentAttempt | None:
    """Find the one attempt of an order that is open or has succeeded."""
    return await session.scalar(
        select(PaymentAttempt).where(
            PaymentAttempt.order_id == order_id, PaymentAttempt.status != AttemptStatus.DECLINED
        )
    )


async def get_any_refund(session: AsyncSession, refund_id: str) -> Refund:
    """Get a refund of any owner, for a task; NotFound when there is none."""
    return require_found("Refund", refund_id, await session.get(Refund, refund_id))


async def lock_any_refund(session: AsyncSession, refund_id: str) -> Refund:
    """Lock a refund of any owner, for a task; NotFound when there is none."""
    return require_found("Refund", refund_id, await session.get(Refund, refund_id, with_for_update=True))
