"""Quotes to pay for, payment providers at which something goes wrong, and what has been paid by then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy import select

from subgraphs.common.identity import Identity
from subgraphs.common.ids import new_id
from subgraphs.common.money import Money
from subgraphs.common.postal import Address, ShippingLevel
from subgraphs.common.runtime import Runtime
from subgraphs.orders import repository, service
from subgraphs.orders.models import OfflinePayment, OfflineRefund, PaymentAttempt, Refund
from subgraphs.orders.payments.base import PaymentOutcome, PaymentRequest, RefundOutcome, RefundRequest
from subgraphs.orders.payments.offline import OfflinePayments
from subgraphs.orders.service.quotes import Price, store_quote

Answer = TypeVar("Answer")


ADDRESS = Address("Ada", "1 Byron Row", None, "London", None, "N1 1AA", "GB", "+44 20 7946 0000")
TOTAL = 2000
"""What a quote of `create_quote` adds up to."""


class ProcessEnded(Exception):
    """The process that called the provider ended."""


class InterruptedPayments(OfflinePayments):
    """The offline provider, at which the calling process ends: before it has acted, or after."""

    def __init__(self, runtime: Runtime, *, has_acted: bool) -> None:
        super().__init__(runtime.database, runtime.clock, timedelta(seconds=5))
        self._has_acted = has_acted

    async def pay(self, request: PaymentRequest) -> PaymentOutcome:
        return await self._interrupt(partial(super().pay, request))

    async def check(self, reference: str) -> PaymentOutcome:
        return await self._interrupt(partial(super().check, reference))

    async def cancel(self, reference: str) -> PaymentOutcome:
        return await self._interrupt(partial(super().cancel, reference))

    async def refund(self, request: RefundRequest) -> RefundOutcome:
        return await self._interrupt(partial(super().refund, request))

    async def _interrupt(self, act: Callable[[], Awaitable[Answer]]) -> Answer:
        if self._has_acted:
            await act()
        raise ProcessEnded


def create_quick_payments(runtime: Runtime) -> OfflinePayments:
    """The offline provider, at which pending payments are settled when they are next checked."""
    return OfflinePayments(runtime.database, runtime.clock, timedelta())


def create_parent() -> Identity:
    """A parent who has just signed up."""
    return Identity(new_id("usr"), "ses_1", frozenset({"parent"}), "")


async def create_quote(runtime: Runtime, parent: Identity) -> str:
    """Store a quote of a book that does not exist, and return its id."""
    request = service.QuoteRequest("book_1", "casewrap-8.5-square", 1, ADDRESS, ShippingLevel.MAIL)
    part = Money(TOTAL // 4, "USD")
    async with runtime.unit_of_work() as uow:
        return store_quote(uow, parent, request, Price("snp_none", part, part, part, part)).id


async def read_payments(runtime: Runtime, order_id: str) -> list[OfflinePayment]:
    """The payments of an order in the offline provider's ledger, oldest first."""
    async with runtime.database.read() as session:
        payments = select(OfflinePayment).where(OfflinePayment.order_id == order_id)
        return list(await session.scalars(payments.order_by(OfflinePayment.reference)))


async def read_refunds(runtime: Runtime, order_id: str) -> list[OfflineRefund]:
    """The refunds of an order in the offline provider's ledger."""
    async with runtime.database.read() as session:
        refunds = select(OfflineRefund).join(
            OfflinePayment, OfflinePayment.reference == OfflineRefund.payment_reference
        )
        return list(await session.scalars(refunds.where(OfflinePayment.order_id == order_id)))


async def list_attempts(runtime: Runtime, order_id: str) -> list[PaymentAttempt]:
    """The attempts to pay for an order, oldest first."""
    async with runtime.database.read() as session:
        return (await repository.load_attempts_of_orders(session, [order_id])).get(order_id, [])


async def list_refunds(runtime: Runtime, order_id: str) -> list[Refund]:
    """The refunds of an order, oldest first."""
    ids = [attempt.id for attempt in await list_attempts(runtime, order_id)]
    async with runtime.database.read() as session:
        refunds = await repository.load_refunds_of_attempts(session, ids)
    return [refund for id_ in ids for refund in refunds.get(id_, ())]
