"""Cancellation of an order."""

from __future__ import annotations

from subgraphs.common.identity import Identity
from subgraphs.common.runtime import Runtime
from subgraphs.orders import repository
from subgraphs.orders.errors import OrderNotCancellable
from subgraphs.orders.events import OrderCancelled
from subgraphs.orders.models import Order, RefundReason
from subgraphs.orders.service.progress import record_transition
from subgraphs.orders.service.refunds import refund_in_full
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
        await refund_in_full(uow, order, RefundReason.ORDER_CANCELLED)
    return order
