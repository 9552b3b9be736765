"""The progress of an order: each transition is a numbered row, and then a live event."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

from redis.exceptions import RedisError

from subgraphs.common.audit import AuditEntry
from subgraphs.common.errors import Conflict
from subgraphs.common.identity import Identity
from subgraphs.common.live import LiveEvent, LiveStreams, StaleWriter
from subgraphs.common.runtime import Runtime
from subgraphs.common.telemetry import get_logger
from subgraphs.common.unit_of_work import UnitOfWork
from subgraphs.orders import repository
from subgraphs.orders.models import Order, OrderTransition, RefundReason
from subgraphs.orders.service.refunds import refund_in_full
from subgraphs.orders.states import ORDER_STATES, OrderStatus, apply_print_report
from subgraphs.print.events import PrintJobStatusChanged

_KIND = "OrderTransition"


@dataclass(frozen=True, slots=True)
class OrderProgress:
    """A transition of an order, and the order as it is now, which may be in a later state."""

    sequence: int
    at: datetime
    status: OrderStatus
    order: Order


async def record_transition(
    uow: UnitOfWork, live: LiveStreams, order: Order, status: OrderStatus, reason: str | None
) -> None:
    """Move a locked order to a state; its live event is sent after the commit."""
    order.status = status
    order.last_sequence += 1
    transition = OrderTransition(
        order_id=order.id, sequence=order.last_sequence, status=status, at=uow.now, reason=reason
    )
    await uow.session.flush()
    uow.session.add(transition)

    async def send() -> None:
        try:
            await live.append(build_stream_key(order.id), to_live_event(transition))
        except (RedisError, StaleWriter) as error:
            # Subscribers read it from the row instead.
            get_logger().warning("A live event was not appended", order_id=order.id, error=error)

    uow.after_commit.append(send)


async def follow_print_job(runtime: Runtime, uow: UnitOfWork, event: PrintJobStatusChanged) -> None:
    """Move an order to the state that follows from its print job's.

    A late report changes nothing. An order that will not be printed is refunded.
    """
    order = await repository.lock_any_order(uow.session, event.order_id)
    status = apply_print_report(order.status, event.status)
    if status is None:
        return
    await record_transition(uow, runtime.live, order, status, event.message or None)
    if status is OrderStatus.PRINT_REJECTED:
        await refund_in_full(uow, order, RefundReason.PRINT_REJECTED)


async def confirm_delivery(runtime: Runtime, staff: Identity, order_id: str) -> Order:
    """Record that the parcel of an order has arrived; Conflict when it is not on its way."""
    staff.require("staff")
    async with runtime.unit_of_work() as uow:
        order = await repository.lock_any_order(uow.session, order_id)
        if not ORDER_STATES.may_become(order.status, OrderStatus.DELIVERED):
            raise Conflict(f"An order that is {order.status} cannot have been delivered.")
        await record_transition(uow, runtime.live, order, OrderStatus.DELIVERED, None)
        await uow.audit(AuditEntry(staff.user_id, "confirm_delivery", order.id, order.owner_id))
    return order


async def follow_order(
    runtime: Runtime, caller: Identity, order_id: str, after: int
) -> AsyncGenerator[OrderProgress, None]:
    """Yield the transitions of the caller's order after a number, up to one into a final state."""

    async def load_history(last: int) -> Sequence[LiveEvent]:
        async with runtime.database.read() as session:
            transitions = await repository.load_transitions_of_orders(session, [order_id], last)
        return [to_live_event(transition) for transition in transitions.get(order_id, ())]

    order = await _get_order(runtime, caller, order_id)
    if order.status in ORDER_STATES.terminal and after >= order.last_sequence:
        return
    async with aclosing(runtime.live.follow(build_stream_key(order_id), after, load_history)) as events:
        async for event in events:
            order = await _get_order(runtime, caller, order_id)
            status = OrderStatus(event.data["status"])
            yield OrderProgress(event.sequence, event.at, status, order)
            if status in ORDER_STATES.terminal:
                return


async def _get_order(runtime: Runtime, caller: Identity, order_id: str) -> Order:
    async with runtime.database.read() as session:
        return await repository.get_order(session, caller.user_id, order_id)


def build_stream_key(order_id: str) -> str:
    """Build the key of an order's live stream."""
    return f"order:{order_id}"


def to_live_event(transition: OrderTransition) -> LiveEvent:
    """Convert a transition to a live event."""
    return LiveEvent(transition.sequence, _KIND, transition.at, {"status": transition.status})
