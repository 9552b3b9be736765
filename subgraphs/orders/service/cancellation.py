"""Cancellation of an order, and the refund of its payment."""

from __future__ import annotations

from subgraphs.common.identity import Identity
from subgraphs.common.runtime import Runtime
from subgraphs.orders import repository
from subgraphs.orders.errors import OrderNotCancellable
from subgraphs.orders.events import OrderCancelled
from subgraphs.orders.jobs import RefundPayment
from subgraphs.orders.models import Order, PaymentStatus
from subgraphs.orders.payments.registry import PROVIDERS
from subgraphs.orders.service.progress import record_transition
from subgraphs.orders.states import CANCELLABLE, OrderStatus


async def cancel_order(runtime: Runtime, parent: Identity, order_id: str) -> Order:
    """Cancel an order; a cancelled one is left as it is. OrderNotCancellable once it is in production."""
    parent.require("parent")
    async with runtime.unit_of_work() as uow:
        order = await repository.lock_order(uow.session, parent.user_id, order_id)
        if order.status is OrderStatus.CANCELLED:
            return order
        if order.status not in CANCELLABLE:
            raise OrderNotCancellable(order.status)
        await record_transition(uow, runtime.live, order, OrderStatus.CANCELLED, None)
        await uow.publish(OrderCancelled(order.id))
        await uow.enqueue(RefundPayment(order.id), owner_id=order.owner_id)
    return order


async def refund_payment(runtime: Runtime, order_id: str) -> None:
    """Refund the payment of an order and record it; a second call changes nothing."""
    async with runtime.database.read() as session:
        payment = await repository.get_payment_of_order(session, order_id)
    if payment.status is not PaymentStatus.SUCCEEDED:
        return
    async with PROVIDERS.open(runtime, payment.provider) as payments:
        await payments.refund(payment.reference)
    async with runtime.unit_of_work() as uow:
        await repository.lock_any_order(uow.session, order_id)
        (await repository.get_payment_of_order(uow.session, order_id)).status = PaymentStatus.REFUNDED
