"""The states of an order, the transitions between them, and what reports of its print job do to it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from subgraphs.common.state_machine import StateMachine


class OrderStatus(StrEnum):
    """The state of an order."""

    AWAITING_PAYMENT = "AWAITING_PAYMENT"
    PAID = "PAID"
    PREPARING = "PREPARING"
    IN_PRODUCTION = "IN_PRODUCTION"
    SHIPPED = "SHIPPED"
    DELIVERED = "DELIVERED"
    PAYMENT_FAILED = "PAYMENT_FAILED"
    CANCELLED = "CANCELLED"
    PRINT_REJECTED = "PRINT_REJECTED"


S = OrderStatus

ORDER_STATES: Final = StateMachine(
    {
        S.AWAITING_PAYMENT: {S.PAID, S.PAYMENT_FAILED},
        S.PAID: {S.PREPARING, S.CANCELLED, S.PRINT_REJECTED},
        S.PREPARING: {S.IN_PRODUCTION, S.CANCELLED, S.PRINT_REJECTED},
        S.IN_PRODUCTION: {S.SHIPPED, S.PRINT_REJECTED},
        S.SHIPPED: {S.DELIVERED},
        S.DELIVERED: (),
        S.PAYMENT_FAILED: (),
        S.CANCELLED: (),
        S.PRINT_REJECTED: (),
    }
)

CANCELLABLE: Final = ORDER_STATES.states_before(S.CANCELLED)
"""The states in which a parent can cancel an order: before production begins."""

# A job that the shop cancels on its own will not be printed. If the parent has cancelled the order, it is in
# a terminal state already, and the report changes nothing.
_BY_PRINT_STATUS: Final[dict[str, OrderStatus]] = {
    "CREATED": S.PREPARING,
    "PREFLIGHT": S.PREPARING,
    "SUBMITTING": S.PREPARING,
    "SUBMITTED": S.PREPARING,
    "PRODUCTION_DELAYED": S.PREPARING,
    "PRODUCTION_READY": S.IN_PRODUCTION,
    "IN_PRODUCTION": S.IN_PRODUCTION,
    "SHIPPED": S.SHIPPED,
    "REJECTED": S.PRINT_REJECTED,
    "CANCELLED": S.PRINT_REJECTED,
    "ERROR": S.PRINT_REJECTED,
}


def apply_print_report(current: OrderStatus, print_status: str) -> OrderStatus | None:
    """Return the state that a report of its print job moves an order to; None when it is not ahead.

    Reports may be missing, so the state may be several transitions ahead. An order that awaits payment has no
    print job, so no report moves it.
    """
    if current is S.AWAITING_PAYMENT:
        return None
    reported = _BY_PRINT_STATUS[print_status]
    return reported if ORDER_STATES.is_ahead(current, reported) else None
