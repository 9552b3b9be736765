"""The states of an order, and which follow which.

Reports of print arrive late, twice and out of order, so a report moves an order only to a state ahead of its
present one. The graph has no cycle: in whatever sequence reports arrive, an order ends in the same state.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class OrderStatus(StrEnum):
    """Where an order stands."""

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

_NEXT: Final[dict[OrderStatus, frozenset[OrderStatus]]] = {
    S.AWAITING_PAYMENT: frozenset({S.PAID, S.PAYMENT_FAILED}),
    S.PAID: frozenset({S.PREPARING, S.CANCELLED, S.PRINT_REJECTED}),
    S.PREPARING: frozenset({S.IN_PRODUCTION, S.CANCELLED, S.PRINT_REJECTED}),
    S.IN_PRODUCTION: frozenset({S.SHIPPED, S.PRINT_REJECTED}),
    S.SHIPPED: frozenset({S.DELIVERED}),
    S.DELIVERED: frozenset(),
    S.PAYMENT_FAILED: frozenset(),
    S.CANCELLED: frozenset(),
    S.PRINT_REJECTED: frozenset(),
}

TERMINAL: Final = frozenset(status for status in OrderStatus if not _NEXT[status])
"""The states that no other follows."""

CANCELLABLE: Final = frozenset(status for status in OrderStatus if S.CANCELLED in _NEXT[status])
"""The states in which a parent can still stop an order: before the print shop begins."""

# A job that the shop cancels of its own accord is one that will not be printed. Where the parent cancelled,
# the order is in a final state before print hears of it, and the report moves nothing.
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
    "CANCELED": S.PRINT_REJECTED,
    "ERROR": S.PRINT_REJECTED,
}


def may_become(present: OrderStatus, following: OrderStatus) -> bool:
    """Whether one state may directly follow another."""
    return following in _NEXT[present]


def after_print_report(present: OrderStatus, print_status: str) -> OrderStatus | None:
    """The state that a report of the print job moves an order to; None when it is not ahead.

    Reports in between may be missing, so the state may lie several steps ahead. An order that is not paid
    for has no print job, and no report moves it.
    """
    if present is S.AWAITING_PAYMENT:
        return None
    reported = _BY_PRINT_STATUS[print_status]
    return reported if reported in _ahead(present) else None


def _ahead(status: OrderStatus) -> frozenset[OrderStatus]:
    return _NEXT[status].union(*(_ahead(following) for following in _NEXT[status]))
