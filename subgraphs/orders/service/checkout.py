"""Checkout: the order of a quote, and its payment.

The order and its pending payment are committed before the provider is called, and the outcome is committed
afterwards: no transaction waits for a provider. The quote's id is the idempotency key of the charge, so a
later attempt finds the same charge instead of making another.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from subgraphs.common.errors import BadUserInput
from subgraphs.common.identity import Identity
from subgraphs.common.ids import new_id
from subgraphs.common.money import Money
from subgraphs.common.runtime import Runtime
from subgraphs.common.unit_of_work import UnitOfWork
from subgraphs.common.validation import clean_text
from subgraphs.orders import repository
from subgraphs.orders.errors import PaymentDeclined, QuoteExpired
from subgraphs.orders.events import OrderPaid
from subgraphs.orders.jobs import SettlePayment
from subgraphs.orders.models import Order, Payment, PaymentStatus, Quote
from subgraphs.orders.payments.base import Outcome, PaymentRequest, Succeeded
from subgraphs.orders.payments.registry import PROVIDERS
from subgraphs.orders.service.progress import record_transition
from subgraphs.orders.states import OrderStatus

_SETTLEMENT_DELAY = timedelta(minutes=1)
_NUMBER_SYMBOLS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


async def checkout(runtime: Runtime, parent: Identity, quote_id: str, payment_method: str) -> Order:
    """Order and pay for what was quoted. It is idempotent: it charges once and returns the same order.

    QuoteExpired when the price no longer holds; then nothing is ordered. PaymentDeclined when the payment was
    declined; then the order is in the state PAYMENT_FAILED, and another attempt needs another quote.
    """
    parent.require("parent")
    method = _check_payment_method(payment_method)
    async with runtime.unit_of_work() as uow:
        order = await _place_order(uow, runtime, parent, quote_id, method)
    return await settle_payment(runtime, order.id)


async def settle_payment(runtime: Runtime, order_id: str) -> Order:
    """Charge for an order that awaits payment and record the outcome.

    Any other order is left as it is. PaymentDeclined when the payment was declined, now or earlier.
    """
    async with runtime.database.read() as session:
        order = await repository.get_any_order(session, order_id)
        payment = await repository.get_payment_of_order(session, order_id)
    if order.status is OrderStatus.AWAITING_PAYMENT:
        request = PaymentRequest(
            idempotency_key=order.quote_id,
            order_id=order.id,
            amount=Money(payment.amount, payment.currency),
            payment_method=payment.method,
        )
        async with PROVIDERS.open(runtime, payment.provider) as payments:
            outcome = await payments.charge(request)
        async with runtime.unit_of_work() as uow:
            order, payment = await _record_outcome(uow, runtime, order_id, outcome)
    if payment.status is PaymentStatus.DECLINED:
        raise PaymentDeclined(payment.decline_code or "", payment.decline_message or "")
    return order


async def _place_order(
    uow: UnitOfWork, runtime: Runtime, parent: Identity, quote_id: str, method: str
) -> Order:
    """Return the order of a quote; create it if there is none. The lock on the quote allows only one."""
    quote = await repository.lock_quote(uow.session, parent.user_id, quote_id)
    if existing := await repository.find_order_of_quote(uow.session, quote.id):
        return existing
    if quote.expires_at <= uow.now:
        raise QuoteExpired
    order = _build_order(uow, quote)
    uow.session.add(order)
    await record_transition(uow, runtime.live, order, OrderStatus.AWAITING_PAYMENT, None)
    uow.session.add(
        Payment(
            id=new_id("pay"),
            order_id=order.id,
            status=PaymentStatus.PENDING,
            amount=order.total,
            currency=order.currency,
            provider=PROVIDERS.default_name(runtime),
            method=method,
            reference="",
            created_at=uow.now,
        )
    )
    await uow.enqueue(SettlePayment(order.id), owner_id=order.owner_id, delay=_SETTLEMENT_DELAY)
    return order


def _build_order(uow: UnitOfWork, quote: Quote) -> Order:
    return Order(
        id=new_id("ord"),
        number="M-" + "".join(secrets.choice(_NUMBER_SYMBOLS) for _ in range(8)),
        quote_id=quote.id,
        owner_id=quote.owner_id,
        book_id=quote.book_id,
        snapshot_id=quote.snapshot_id,
        product_id=quote.product_id,
        quantity=quote.quantity,
        shipping_level=quote.shipping_level,
        shipping_address=quote.shipping_address,
        currency=quote.currency,
        total=quote.total.amount,
        last_sequence=0,
        created_at=uow.now,
    )


async def _record_outcome(
    uow: UnitOfWork, runtime: Runtime, order_id: str, outcome: Outcome
) -> tuple[Order, Payment]:
    order = await repository.lock_any_order(uow.session, order_id)
    payment = await repository.get_payment_of_order(uow.session, order_id)
    if order.status is not OrderStatus.AWAITING_PAYMENT:
        return order, payment
    payment.reference = outcome.reference
    if isinstance(outcome, Succeeded):
        payment.status, order.paid_at = PaymentStatus.SUCCEEDED, uow.now
        await record_transition(uow, runtime.live, order, OrderStatus.PAID, None)
        await uow.publish(OrderPaid(order.id))
    else:
        payment.status = PaymentStatus.DECLINED
        payment.decline_code, payment.decline_message = outcome.code, outcome.message
        await record_transition(uow, runtime.live, order, OrderStatus.PAYMENT_FAILED, outcome.message)
    return order, payment


def _check_payment_method(value: str) -> str:
    method = clean_text("paymentMethod", value, max_length=100)
    if not method.startswith("pm_"):
        raise BadUserInput("paymentMethod", "paymentMethod must be the id of a payment method: pm_….")
    return method
