"""The states of a print job, and the transitions between them."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from subgraphs.common.state_machine import StateMachine


class PrintJobStatus(StrEnum):
    """The state of a print job; from SUBMITTED on they are those of Lulu's API, which spells CANCELED."""

    CREATED = "CREATED"
    PREFLIGHT = "PREFLIGHT"
    REJECTED = "REJECTED"
    SUBMITTING = "SUBMITTING"
    SUBMITTED = "SUBMITTED"
    PRODUCTION_DELAYED = "PRODUCTION_DELAYED"
    PRODUCTION_READY = "PRODUCTION_READY"
    IN_PRODUCTION = "IN_PRODUCTION"
    SHIPPED = "SHIPPED"
    CANCELLED = "CANCELLED"
    ERROR = "ERROR"


S = PrintJobStatus

# Lulu also has PRODUCTION_READY -> PRODUCTION_DELAYED. It is left out: such a report cannot be distinguished
# from a late one, and nothing depends on it.
PRINT_JOB_STATES: Final = StateMachine(
    {
        S.CREATED: {S.PREFLIGHT, S.CANCELLED},
        S.PREFLIGHT: {S.SUBMITTING, S.REJECTED, S.CANCELLED},
        S.SUBMITTING: {S.SUBMITTED, S.REJECTED, S.CANCELLED},
        S.SUBMITTED: {S.PRODUCTION_DELAYED, S.PRODUCTION_READY, S.REJECTED, S.CANCELLED},
        S.PRODUCTION_DELAYED: {S.PRODUCTION_READY, S.CANCELLED},
        S.PRODUCTION_READY: {S.IN_PRODUCTION},
        S.IN_PRODUCTION: {S.SHIPPED, S.ERROR},
        S.SHIPPED: (),
        S.REJECTED: (),
        S.CANCELLED: (),
        S.ERROR: (),
    }
)

CANCELLABLE: Final = PRINT_JOB_STATES.find_predecessors(S.CANCELLED)
"""The states in which a job can be cancelled."""
