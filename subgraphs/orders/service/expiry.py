"""The end of an order that was not paid while its quote held."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from subgraphs.common.runtime import Runtime
from subgraphs.orders import repository
from subgraphs.orders.jobs import ExpireOrder
from subgraphs.orders.service.attempts import cancel_attempt
from subgraphs.orders.service.progress import record_transition
from subgraphs.orders.states import OrderStatus

_RETRY_DELAY: Final = timedelta(minutes=5)


async def expire_order(runtime: Runtime, order_id: str) -> None:
    """End an order that awaits payment; a paid one is left as it is.

    An attempt that waits for the parent is given up. One that waits for its provider was begun in time: the
    order is looked at again later.
    """
    async with runtime.database.read() as session:
        attempt = await repository.find_current_attempt(session, order_id)
    if attempt is not None:
        await cancel_attempt(runtime, attempt)
    async with runtime.unit_of_work() as uow:
        order = await repository.lock_any_order(uow.session, order_id)
        if order.status is not OrderStatus.AWAITING_PAYMENT:
            return
        if await repository.find_current_attempt(uow.session, order.id):
            await uow.enqueue(ExpireOrder(order.id), owner_id=order.owner_id, delay=_RETRY_DELAY)
        else:
            reason = "It was not paid while its price held."
            await record_transition(uow, runtime.live, order, OrderStatus.EXPIRED, reason)
