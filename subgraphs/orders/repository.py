"""All SQL of the orders domain. Whatever belongs to a parent is read with the parent's id."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from subgraphs.common.errors import require_found
from subgraphs.common.ownership import Owned
from subgraphs.common.pagination import Page, PageRequest, load_pages
from subgraphs.common.rows import load_groups, load_values
from subgraphs.orders.models import Order, OrderTransition, PaymentAttempt, Quote, Refund
from subgraphs.orders.states import AttemptStatus

_QUOTES = Owned(Quote, Quote.owner_id)
_ORDERS = Owned(Order, Order.owner_id)
_ATTEMPTS = _ORDERS.extend_to(PaymentAttempt, PaymentAttempt.order_id)
_REFUNDS = _ATTEMPTS.extend_to(Refund, Refund.attempt_id)

load_quotes = _QUOTES.load
load_orders, get_order, lock_order = _ORDERS.load, _ORDERS.get, _ORDERS.lock
get_any_order, lock_any_order = _ORDERS.get_any, _ORDERS.lock_any
load_attempts, get_attempt, get_any_attempt = _ATTEMPTS.load, _ATTEMPTS.get, _ATTEMPTS.get_any
get_any_refund, lock_any_refund = _REFUNDS.get_any, _REFUNDS.lock_any


async def load_attempts_of_orders(
    session: AsyncSession, order_ids: Sequence[str]
) -> dict[str, list[PaymentAttempt]]:
    """Load the payment attempts of each order, oldest first."""
    in_order = select(PaymentAttempt).order_by(PaymentAttempt.order_id, PaymentAttempt.number)
    return await load_groups(session, in_order, PaymentAttempt.order_id, order_ids)


async def load_refunds_of_attempts(
    session: AsyncSession, attempt_ids: Sequence[str]
) -> dict[str, list[Refund]]:
    """Load the refunds of each payment attempt, oldest first."""
    in_order = select(Refund).order_by(Refund.attempt_id, Refund.id)
    return await load_groups(session, in_order, Refund.attempt_id, attempt_ids)


async def load_transitions_of_orders(
    session: AsyncSession, order_ids: Sequence[str], after: int = 0
) -> dict[str, list[OrderTransition]]:
    """Load the transitions of each order after a sequence number, oldest first."""
    transitions = select(OrderTransition).where(OrderTransition.sequence > after)
    in_order = transitions.order_by(OrderTransition.order_id, OrderTransition.sequence)
    return await load_groups(session, in_order, OrderTransition.order_id, order_ids)


async def load_last_sequences(session: AsyncSession, order_ids: Sequence[str]) -> dict[str, int]:
    """Load the number of each order's newest transition."""
    return await load_values(session, Order.id, Order.last_sequence, order_ids)


async def load_orders_of_books(
    session: AsyncSession, owner_id: str, book_ids: Sequence[str]
) -> dict[str, list[Order]]:
    """Load an owner's orders by book, newest first."""
    newest_first = _ORDERS.select(owner_id).order_by(Order.id.desc())
    return await load_groups(session, newest_first, Order.book_id, book_ids)


async def load_orders_of_users(
    session: AsyncSession, owner_id: str, user_ids: Sequence[str], request: PageRequest
) -> dict[str, Page[Order]]:
    """Load a page of the owner's orders, newest first, if the owner is among these users, by user."""
    return await load_pages(session, _ORDERS.select(owner_id), Order.owner_id, user_ids, request)


async def lock_quote(session: AsyncSession, owner_id: str, quote_id: str) -> Quote:
    """Lock an owner's quote; NotFound when there is none.

    The lock allows concurrent foreign key checks on the quote. PostgreSQL makes one for a transaction that
    changes the quote's order twice, and that may hold the order, which is locked after the quote.
    """
    statement = _QUOTES.select(owner_id).where(Quote.id == quote_id).with_for_update(key_share=True)
    return require_found("Quote", quote_id, await session.scalar(statement))


async def find_order_of_quote(session: AsyncSession, quote_id: str) -> Order | None:
    """Find the order that was made from a quote, and lock it."""
    return await session.scalar(select(Order).where(Order.quote_id == quote_id).with_for_update())


async def find_any_attempt(
    session: AsyncSession, provider: str, reference: str, attempt_id: str | None
) -> PaymentAttempt | None:
    """Find a provider's attempt, of any owner, by the provider's reference, or else by its id."""
    by_reference = PaymentAttempt.reference == reference
    matches = by_reference if attempt_id is None else by_reference | (PaymentAttempt.id == attempt_id)
    return await session.scalar(
        select(PaymentAttempt)
        .where(PaymentAttempt.provider == provider, matches)
        .order_by(by_reference.desc())
        .limit(1)
    )


async def find_current_attempt(session: AsyncSession, order_id: str) -> PaymentAttempt | None:
    """Find the one attempt of an order that is open or has succeeded."""
    return await session.scalar(
        select(PaymentAttempt).where(
            PaymentAttempt.order_id == order_id, PaymentAttempt.status != AttemptStatus.DECLINED
        )
    )
