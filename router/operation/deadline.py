"""Deadlines: planning checks at each of its steps whether its time is over."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Final


class PlanningTimeoutError(Exception):
    """Planning an operation took longer than it may."""

    def __init__(self) -> None:
        super().__init__("The operation could not be planned in the time that this may take.")


class Deadline:
    """The time after which work is given up; no step between two checks may take long."""

    def __init__(self, seconds: float, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._end = clock() + seconds

    def check(self) -> None:
        """Gives up if the time is over.

        Raises:
            PlanningTimeoutError: the deadline has passed.
        """
        if self._clock() >= self._end:
            raise PlanningTimeoutError


NEVER: Final = Deadline(float("inf"))
