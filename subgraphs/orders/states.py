"""The states of an order, and the transitions between them.

Reports of the print domain arrive late, twice and out of order, so a report moves an order only to a state
ahead of its current one. The graph has no cycles: whatever the sequence of the reports, an order ends in the
same state.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


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
"""The final states."""

CANCELLABLE: Final = frozenset(status for status in OrderStatus if S.CANCELLED in _NEXT[status])
"""The states in which a parent can cancel an order: before production begins."""

# A job that the shop cancels on its own will not be printed. If the parent has cancelled the order, it is in
# a final state already, and the report changes nothing.
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


def can_become(current: OrderStatus, following: OrderStatus) -> bool:
    """Whether one state can directly follow another."""
    return following in _NEXT[current]


def apply_print_report(current: OrderStatus, print_status: str) -> OrderStatus | None:
    """Return the state that a report of its print job moves an order to; None when it is not ahead.

    Reports may be missing, so the state may be several transitions ahead. An order that awaits payment has no
    print job, so no report moves it.
    """
    if current is S.AWAITING_PAYMENT:
        return None
    reported = _BY_PRINT_STATUS[print_status]
    return reported if reported in _find_ahead(current) else None


def _find_ahead(status: OrderStatus) -> frozenset[OrderStatus]:
    return _NEXT[status].union(*(_find_ahead(following) for following in _NEXT[status]))
