"""The states of orders, payment attempts and refunds, and how reports of the print job move an order."""

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
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"
    PRINT_REJECTED = "PRINT_REJECTED"


class AttemptStatus(StrEnum):
    """The state of a payment attempt."""

    CREATED = "CREATED"
    REQUIRES_ACTION = "REQUIRES_ACTION"
    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    DECLINED = "DECLINED"


class RefundStatus(StrEnum):
    """The state of a refund."""

    REQUESTED = "REQUESTED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


S = OrderStatus
A = AttemptStatus
R = RefundStatus

ORDER_STATES: Final = StateMachine(
    {
        S.AWAITING_PAYMENT: {S.PAID, S.EXPIRED},
        S.PAID: {S.PREPARING, S.CANCELLED, S.PRINT_REJECTED},
        S.PREPARING: {S.IN_PRODUCTION, S.CANCELLED, S.PRINT_REJECTED},
        S.IN_PRODUCTION: {S.SHIPPED, S.PRINT_REJECTED},
        S.SHIPPED: {S.DELIVERED},
        S.DELIVERED: (),
        S.EXPIRED: (),
        S.CANCELLED: (),
        S.PRINT_REJECTED: (),
    }
)

ATTEMPT_STATES: Final = StateMachine(
    {
        A.CREATED: {A.REQUIRES_ACTION, A.PENDING, A.SUCCEEDED, A.DECLINED},
        A.REQUIRES_ACTION: {A.PENDING, A.SUCCEEDED, A.DECLINED},
        A.PENDING: {A.SUCCEEDED, A.DECLINED},
        A.SUCCEEDED: (),
        A.DECLINED: (),
    }
)

REFUND_STATES: Final = StateMachine(
    {
        R.REQUESTED: {R.SUCCEEDED, R.FAILED},
        R.SUCCEEDED: (),
        R.FAILED: (),
    }
)

CANCELLABLE: Final = ORDER_STATES.find_predecessors(S.CANCELLED)
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
