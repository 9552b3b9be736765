"""The deadline of the current operation, on the monotonic clock; a job has none."""

from __future__ import annotations

import math
import time
from contextvars import ContextVar

_deadline: ContextVar[float] = ContextVar("deadline", default=math.inf)


def set_deadline(deadline: float) -> None:
    """Set the deadline of the current operation, for it and for the tasks that it creates."""
    _deadline.set(deadline)


def compute_remaining_seconds() -> float:
    """Compute the time that is left until the deadline."""
    return _deadline.get() - time.monotonic()
