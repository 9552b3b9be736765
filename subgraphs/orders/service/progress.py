"""The progress of an order: every state it comes into is a numbered row, and then a live event."""

from __future__ import annotations

from collections.abc import Sequence

from redis.exceptions import RedisError

from subgraphs.common.database import Database
from subgraphs.common.errors import Conflict
from subgraphs.common.identity import Identity
from subgraphs.common.live import LiveEvent, LiveStreams, StaleWriter
from subgraphs.common.telemetry import logger
from subgraphs.common.unit_of_work import UnitOfWork
from subgraphs.orders import repository
from subgraphs.orders.events import OrderShipped
from subgraphs.orders.jobs import RefundPayment
from subgraphs.orders.models import Order, OrderTransition
from subgraphs.orders.states import OrderStatus, after_print_report, may_become
from subgraphs.print.events import PrintJobStatusChanged

_KIND = "OrderTransition"


async def record(
    uow: UnitOfWork, live: LiveStreams, order: Order, status: OrderStatus, reason: str | None
) -> None:
    """Bring an order, which the caller holds locked, into a state; tell who watches it after the commit."""
    order.status = status
    order.last_sequence += 1
    transition = OrderTransition(
        order_id=order.id, sequence=order.last_sequence, status=status, at=uow.now, reason=reason
    )
    await uow.session.flush()
    uow.session.add(transition)

    async def tell() -> None:
        try:
            await live.append(stream_key(order.id), as_live(transition))
        except (RedisError, StaleWriter) as error:
            # Whoever watches gets it from the row all the same.
            logger().warning("A live event was not appended", order_id=order.id, error=error)

    uow.after_commit.append(tell)


async def follow_print_job(uow: UnitOfWork, live: LiveStreams, event: PrintJobStatusChanged) -> None:
    """Move an order with its print job; a report that is no news changes nothing.

    What will not be printed is paid back.
    """
    order = await repository.lock_any_order(uow.session, event.order_id)
    status = after_print_report(order.status, event.status)
    if status is None:
        return
    await record(uow, live, order, status, event.message or None)
    if status is OrderStatus.SHIPPED:
        await uow.publish(OrderShipped(order.id))
    if status is OrderStatus.PRINT_REJECTED:
        await uow.enqueue(RefundPayment(order.id))


async def confirm_delivery(uow: UnitOfWork, live: LiveStreams, staff: Identity, order_id: str) -> Order:
    """Note that a parcel has arrived; Conflict when it is not on its way."""
    staff.require("staff")
    order = await repository.lock_any_order(uow.session, order_id)
    if not may_become(order.status, OrderStatus.DELIVERED):
        raise Conflict(f"An order that is {order.status} cannot have been delivered.")
    await record(uow, live, order, OrderStatus.DELIVERED, None)
    return order


async def history_of(database: Database, order_id: str, after: int) -> Sequence[LiveEvent]:
    """The live events of an order after a number, from its rows."""
    async with database.read() as session:
        transitions = await repository.transitions_of(session, [order_id], after)
    return [as_live(transition) for transition in transitions.get(order_id, ())]


def stream_key(order_id: str) -> str:
    """The name of an order's live stream."""
    return f"order:{order_id}"


def as_live(transition: OrderTransition) -> LiveEvent:
    """A transition as those who watch get it."""
    return LiveEvent(transition.sequence, _KIND, transition.at, {"status": transition.status})
