"""The states of a print job, and which follow which.

Reports about a job come late, twice and out of order, so a report moves a job only to a state that lies
ahead of the present one. The graph has no cycle: whatever the order of the reports, a job ends where the
last true one puts it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class PrintJobStatus(StrEnum):
    """Our own steps up to SUBMITTED, then the print shop's, in the words of Lulu's API."""

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

# Lulu also knows PRODUCTION_READY -> PRODUCTION_DELAYED. It is left out: by its name alone such a report
# cannot be told from a late one, and nothing is decided by it.
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


def _ahead(status: PrintJobStatus) -> frozenset[PrintJobStatus]:
    return _NEXT[status].union(*(_ahead(following) for following in _NEXT[status]))


_AHEAD: Final = {status: _ahead(status) for status in PrintJobStatus}

TERMINAL: Final = frozenset(status for status in PrintJobStatus if not _NEXT[status])
"""The states that nothing follows."""

CANCELLABLE: Final = frozenset(status for status in PrintJobStatus if S.CANCELED in _NEXT[status])
"""The states in which a job can be stopped as such, without asking what the shop has done since."""


def may_become(present: PrintJobStatus, reported: PrintJobStatus) -> bool:
    """Tell whether a report is news: it lies ahead, perhaps with steps between that nobody reported."""
    return reported in _AHEAD[present]
