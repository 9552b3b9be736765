"""The progress of an order: each transition is a numbered row, and then a live event."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from subgraphs.common.audit import AuditEntry
from subgraphs.common.errors import Conflict
from subgraphs.common.identity import Identity
from subgraphs.common.live import LiveEvent, LiveStreams
from subgraphs.common.runtime import Runtime
from subgraphs.common.transitions import EventRows, announce_after_commit, follow_until, move
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
    sequence = move(ORDER_STATES, order, status)
    await uow.session.flush()
    transition = OrderTransition(
        order_id=order.id, sequence=sequence, status=status, at=uow.now, reason=reason
    )
    uow.session.add(transition)
    announce_after_commit(uow, live, EVENT_ROWS.build_key(order.id), _to_live_event(transition))


_PRINTING: Final = (OrderStatus.PREPARING, OrderStatus.IN_PRODUCTION, OrderStatus.SHIPPED)
"""The states of an order whose copies are made, in their order."""


async def follow_print_job(runtime: Runtime, uow: UnitOfWork, event: PrintJobStatusChanged) -> None:
    """Move an order to the state that follows from its print job's.

    A late report changes nothing, and one that has overtaken others records the states that they would have.
    An order that will not be printed is refunded.
    """
    order = await repository.lock_any_order(uow.session, event.order_id)
    status = apply_print_report(order.status, event.status)
    if status is None:
        return
    if status in _PRINTING:
        for passed in _PRINTING[: _PRINTING.index(status)]:
            if ORDER_STATES.is_ahead(order.status, passed):
                await record_transition(uow, runtime.live, order, passed, None)
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
    async with runtime.live.admission:
        order = await _get_order(runtime, caller, order_id)
    if order.status in ORDER_STATES.terminal and after >= order.last_sequence:
        return
    events = follow_until(_is_last, runtime, EVENT_ROWS, order_id, after)
    async with aclosing(events):
        async for event in events:
            order = await _get_order(runtime, caller, order_id)
            yield OrderProgress(event.sequence, event.at, _get_status(event), order)


async def _get_order(runtime: Runtime, caller: Identity, order_id: str) -> Order:
    async with runtime.database.read() as session:
        return await repository.get_order(session, caller.user_id, order_id)


def _to_live_event(transition: OrderTransition) -> LiveEvent:
    return LiveEvent(transition.sequence, _KIND, transition.at, {"status": transition.status})


async def _list_events(session: AsyncSession, order_id: str, after: int) -> list[LiveEvent]:
    transitions = await repository.load_transitions_of_orders(session, [order_id], after)
    return [_to_live_event(transition) for transition in transitions.get(order_id, ())]


EVENT_ROWS: Final = EventRows("order", _list_events, repository.load_last_sequences)


def _is_last(event: LiveEvent) -> bool:
    return _get_status(event) in ORDER_STATES.terminal


def _get_status(event: LiveEvent) -> OrderStatus:
    return OrderStatus(event.data["status"])
