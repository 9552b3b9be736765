"""Refunds of the payment of an order, together never more than was paid."""

from __future__ import annotations

from subgraphs.common.ids import new_id
from subgraphs.common.money import Money
from subgraphs.common.runtime import Runtime
from subgraphs.common.telemetry import get_logger
from subgraphs.common.unit_of_work import UnitOfWork
from subgraphs.orders import repository
from subgraphs.orders.errors import RefundExceedsPayment
from subgraphs.orders.jobs import RefundPayment
from subgraphs.orders.models import Order, Refund, RefundReason
from subgraphs.orders.payments.base import Refunded, RefundRequest
from subgraphs.orders.payments.registry import PROVIDERS
from subgraphs.orders.states import REFUND_STATES, RefundStatus


async def refund_in_full(uow: UnitOfWork, order: Order, reason: RefundReason) -> None:
    """Request the refund of all that was paid for a locked order, once for each reason."""
    await request_refund(uow, order, order.total, reason, idempotency_key=reason.value)


async def request_refund(
    uow: UnitOfWork, order: Order, amount: int, reason: RefundReason, *, idempotency_key: str
) -> Refund:
    """Request a refund of a locked order in minor units; a repeated key gives the same refund.

    RefundExceedsPayment when all refunds that have not failed would be more than was paid. The lock on the
    order keeps others from requesting at the same time.
    """
    attempt = await repository.find_current_attempt(uow.session, order.id)
    assert attempt is not None, "an order that is refunded has been paid"
    refunds = (await repository.load_refunds_of_attempts(uow.session, [attempt.id])).get(attempt.id, [])
    for refund in refunds:
        if refund.idempotency_key == idempotency_key:
            return refund
    refunded = sum(refund.amount for refund in refunds if refund.status is not RefundStatus.FAILED)
    if refunded + amount > attempt.amount:
        raise RefundExceedsPayment
    refund = Refund(
        id=new_id("ref"),
        attempt_id=attempt.id,
        idempotency_key=idempotency_key,
        amount=amount,
        currency=attempt.currency,
        reason=reason,
        status=RefundStatus.REQUESTED,
        created_at=uow.now,
    )
    uow.session.add(refund)
    await uow.enqueue(RefundPayment(refund.id), owner_id=order.owner_id)
    return refund


async def refund_payment(runtime: Runtime, refund_id: str) -> None:
    """Send a refund to the provider that took the payment; a second call changes nothing."""
    async with runtime.database.read() as session:
        refund = await repository.get_any_refund(session, refund_id)
        attempt = await repository.get_any_attempt(session, refund.attempt_id)
    if refund.status in REFUND_STATES.terminal:
        return
    assert attempt.reference is not None, "its provider has reported success"
    amount = Money(refund.amount, refund.currency)
    async with PROVIDERS.open(runtime, attempt.provider) as provider:
        outcome = await provider.refund(RefundRequest(refund.id, attempt.reference, amount))
    async with runtime.unit_of_work() as uow:
        refund = await repository.lock_any_refund(uow.session, refund_id)
        if refund.status in REFUND_STATES.terminal:
            return
        refund.settled_at = uow.now
        if isinstance(outcome, Refunded):
            refund.status, refund.reference = RefundStatus.SUCCEEDED, outcome.reference
        else:
            refund.status, refund.failure_code = RefundStatus.FAILED, outcome.code
            get_logger().error(
                "A refund failed", refund=refund.id, provider=attempt.provider, code=outcome.code
            )
