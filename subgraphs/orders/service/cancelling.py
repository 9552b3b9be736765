"""Cancelling an order while it can still be stopped, and giving back what was paid for it."""

from __future__ import annotations

from subgraphs.common.identity import Identity
from subgraphs.common.live import LiveStreams
from subgraphs.common.runtime import Runtime
from subgraphs.common.unit_of_work import UnitOfWork
from subgraphs.orders import repository
from subgraphs.orders.errors import OrderNotCancellable
from subgraphs.orders.events import OrderCancelled
from subgraphs.orders.jobs import RefundPayment
from subgraphs.orders.models import Order, PaymentStatus
from subgraphs.orders.payments import PaymentProvider
from subgraphs.orders.service.progress import record
from subgraphs.orders.states import CANCELLABLE, OrderStatus


async def cancel_order(uow: UnitOfWork, live: LiveStreams, parent: Identity, order_id: str) -> Order:
    """Stop an order; a cancelled one stays as it is. OrderNotCancellable once its printing has begun."""
    parent.require("parent")
    order = await repository.lock_order(uow.session, parent.user_id, order_id)
    if order.status is OrderStatus.CANCELLED:
        return order
    if order.status not in CANCELLABLE:
        raise OrderNotCancellable(order.status)
    await record(uow, live, order, OrderStatus.CANCELLED, None)
    await uow.publish(OrderCancelled(order.id))
    await uow.enqueue(RefundPayment(order.id))
    return order


async def refund_payment(runtime: Runtime, payments: PaymentProvider, order_id: str) -> None:
    """Give a payment back once, and note it; the provider makes nothing of a second request."""
    async with runtime.database.read() as session:
        payment = await repository.payment_of(session, order_id)
    if payment.status is not PaymentStatus.SUCCEEDED:
        return
    await payments.refund(payment.reference)
    async with runtime.unit_of_work() as uow:
        await repository.lock_any_order(uow.session, order_id)
        (await repository.payment_of(uow.session, order_id)).status = PaymentStatus.REFUNDED
