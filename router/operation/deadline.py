"""Deadlines: planning checks at each of its steps whether its time limit has passed."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Final


class PlanningTimeoutError(Exception):
    """Planning an operation exceeded its time limit."""

    def __init__(self) -> None:
        super().__init__("The operation could not be planned in time.")


class Deadline:
    """The time after which work is given up; no step between two checks may take long."""

    def __init__(self, seconds: float, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._end = clock() + seconds

    def check(self) -> None:
        """Ends the work if its time limit has passed.

        Raises:
            PlanningTimeoutError: the deadline has passed.
        """
        if self._clock() >= self._end:
            raise PlanningTimeoutError


NEVER: Final = Deadline(float("inf"))
