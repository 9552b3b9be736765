"""Checkout: the order of a quote, and the attempts to pay for it.

The order and the attempt are committed before the provider is called, and the outcome is committed
afterwards: no transaction waits for a provider. The attempt's id is the idempotency key at the provider, so
repeating the call finds the same payment instead of making another.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Final

from subgraphs.common.errors import BadUserInput
from subgraphs.common.idempotency import KeyReused, check_key
from subgraphs.common.identity import Identity
from subgraphs.common.ids import new_id
from subgraphs.common.runtime import Runtime
from subgraphs.common.unit_of_work import UnitOfWork
from subgraphs.common.validation import clean_text
from subgraphs.orders import repository
from subgraphs.orders.errors import QuoteExpired
from subgraphs.orders.jobs import ExpireOrder
from subgraphs.orders.models import Order, PaymentAttempt, Quote
from subgraphs.orders.payments.registry import PROVIDERS
from subgraphs.orders.service.attempts import (
    PaymentProgress,
    cancel_attempt,
    enqueue_check,
    submit_attempt,
)
from subgraphs.orders.service.progress import record_transition
from subgraphs.orders.states import AttemptStatus, OrderStatus

_SETTLEMENT_DELAY: Final = timedelta(minutes=1)
_IRREPLACEABLE: Final = frozenset({AttemptStatus.PENDING, AttemptStatus.SUCCEEDED})
"""The states in which an attempt cannot be replaced by another."""

_KEY_FIELD: Final = "attemptKey"
_NUMBER_SYMBOLS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


async def checkout(
    runtime: Runtime, parent: Identity, quote_id: str, payment_method: str, attempt_key: str
) -> PaymentProgress:
    """Order what was quoted and attempt to pay for it; a repeated key gives the attempt that it has.

    While another attempt is pending or has succeeded, that one is returned. One that waits for the parent is
    cancelled in favour of the new one. QuoteExpired when the price no longer holds; then nothing is charged.
    """
    parent.require("parent")
    method = _check_payment_method(payment_method)
    key = check_key(_KEY_FIELD, attempt_key)
    while True:
        async with runtime.unit_of_work() as uow:
            attempt = await _begin_attempt(runtime, uow, parent, quote_id, method, key)
        if attempt.idempotency_key == key:
            return await submit_attempt(runtime, attempt)
        other = await cancel_attempt(runtime, attempt)
        if other.attempt.status in _IRREPLACEABLE:
            return other


async def _begin_attempt(
    runtime: Runtime, uow: UnitOfWork, parent: Identity, quote_id: str, method: str, key: str
) -> PaymentAttempt:
    """Return the attempt with this key, or the one that is open or has succeeded, or a new one.

    The lock on the quote allows only one order and one new attempt at a time.
    """
    quote = await repository.lock_quote(uow.session, parent.user_id, quote_id)
    order = await repository.find_order_of_quote(uow.session, quote.id)
    attempts = await _load_attempts(uow, order)
    for attempt in attempts:
        if attempt.idempotency_key == key:
            return _require_method(attempt, method)
    for attempt in attempts:
        if attempt.status is not AttemptStatus.DECLINED:
            return attempt
    if quote.expires_at <= uow.now or (order and order.status is not OrderStatus.AWAITING_PAYMENT):
        raise QuoteExpired
    order = order or await _place_order(runtime, uow, quote)
    attempt = _build_attempt(runtime, uow, order, method, key, number=len(attempts) + 1)
    uow.session.add(attempt)
    await enqueue_check(uow, order, attempt, _SETTLEMENT_DELAY)
    return attempt


async def _load_attempts(uow: UnitOfWork, order: Order | None) -> list[PaymentAttempt]:
    if order is None:
        return []
    return (await repository.load_attempts_of_orders(uow.session, [order.id]))[order.id]


async def _place_order(runtime: Runtime, uow: UnitOfWork, quote: Quote) -> Order:
    order = Order(
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
    uow.session.add(order)
    await record_transition(uow, runtime.live, order, OrderStatus.AWAITING_PAYMENT, None)
    await uow.enqueue(ExpireOrder(order.id), owner_id=order.owner_id, delay=quote.expires_at - uow.now)
    return order


def _build_attempt(
    runtime: Runtime, uow: UnitOfWork, order: Order, method: str, key: str, *, number: int
) -> PaymentAttempt:
    return PaymentAttempt(
        id=new_id("pat"),
        order_id=order.id,
        number=number,
        idempotency_key=key,
        provider=PROVIDERS.get_default_name(runtime),
        method=method,
        amount=order.total,
        currency=order.currency,
        status=AttemptStatus.CREATED,
        checks=0,
        created_at=uow.now,
    )


def _check_payment_method(value: str) -> str:
    method = clean_text("paymentMethod", value, max_length=100)
    if not method.startswith("pm_"):
        raise BadUserInput("paymentMethod", "paymentMethod must be the id of a payment method: pm_….")
    return method


def _require_method(attempt: PaymentAttempt, method: str) -> PaymentAttempt:
    if attempt.method != method:
        raise KeyReused(_KEY_FIELD)
    return attempt
