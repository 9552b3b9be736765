"""The states of a generation, and the transitions between them."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from subgraphs.common.state_machine import StateMachine


class GenerationStatus(StrEnum):
    """The state of a generation; PARTIAL lacks the steps that kept failing."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    PARTIAL = "PARTIAL"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


S = GenerationStatus

GENERATION_STATES: Final = StateMachine(
    {
        S.QUEUED: {S.RUNNING, S.CANCELLED},
        S.RUNNING: {S.COMPLETED, S.PARTIAL, S.FAILED, S.CANCELLED},
        S.COMPLETED: (),
        S.PARTIAL: (),
        S.FAILED: (),
        S.CANCELLED: (),
    }
)
