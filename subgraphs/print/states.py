"""The states of a print job, and the transitions between them.

Reports of the print shop arrive late, twice and out of order, so a report moves a job only to a state ahead
of its current one. The graph has no cycles: whatever the sequence of the reports, a job ends in the same
state.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class PrintJobStatus(StrEnum):
    """The state of a print job; from SUBMITTED on, the states are those of Lulu's API."""

    CREATED = "CREATED"
    PREFLIGHT = "PREFLIGHT"
    REJECTED = "REJECTED"
    SUBMITTING = "SUBMITTING"
    SUBMITTED = "SUBMITTED"
    PRODUCTION_DELAYED = "PRODUCTION_DELAYED"
    PRODUCTION_READY = "PRODUCTION_READY"
    IN_PRODUCTION = "IN_PRODUCTION"
    SHIPPED = "SHIPPED"
    CANCELED = "CANCELED"
    ERROR = "ERROR"


S = PrintJobStatus

# Lulu also has PRODUCTION_READY -> PRODUCTION_DELAYED. It is left out: such a report cannot be distinguished
# from a late one, and nothing depends on it.
_NEXT: Final[dict[PrintJobStatus, frozenset[PrintJobStatus]]] = {
    S.CREATED: frozenset({S.PREFLIGHT, S.CANCELED}),
    S.PREFLIGHT: frozenset({S.SUBMITTING, S.REJECTED, S.CANCELED}),
    S.SUBMITTING: frozenset({S.SUBMITTED, S.REJECTED}),
    S.SUBMITTED: frozenset({S.PRODUCTION_DELAYED, S.PRODUCTION_READY, S.REJECTED, S.CANCELED}),
    S.PRODUCTION_DELAYED: frozenset({S.PRODUCTION_READY, S.CANCELED}),
    S.PRODUCTION_READY: frozenset({S.IN_PRODUCTION}),
    S.IN_PRODUCTION: frozenset({S.SHIPPED, S.ERROR}),
    S.SHIPPED: frozenset(),
    S.REJECTED: frozenset(),
    S.CANCELED: frozenset(),
    S.ERROR: frozenset(),
}


def _find_ahead(status: PrintJobStatus) -> frozenset[PrintJobStatus]:
    return _NEXT[status].union(*(_find_ahead(following) for following in _NEXT[status]))


_AHEAD: Final = {status: _find_ahead(status) for status in PrintJobStatus}

TERMINAL: Final = frozenset(status for status in PrintJobStatus if not _NEXT[status])
"""The final states."""

CANCELLABLE: Final = frozenset(status for status in PrintJobStatus if S.CANCELED in _NEXT[status])
"""The states in which a job can be cancelled."""


def can_become(current: PrintJobStatus, reported: PrintJobStatus) -> bool:
    """Whether a reported state is ahead of the current one, by any number of transitions."""
    return reported in _AHEAD[current]
