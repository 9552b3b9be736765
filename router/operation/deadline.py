"""Deadlines: the time that working out an answer may take, which the work itself observes."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Final


class PlanningTimeoutError(Exception):
    """Planning an operation takes longer than it may."""

    def __init__(self) -> None:
        super().__init__("The operation could not be planned in the time that this may take.")


class Deadline:
    """A moment by a clock after which work is given up.

    Whatever may go on for long asks at each of its steps, so a step must not take long itself.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._end = clock() + seconds

    def check(self) -> None:
        """Gives up if the time is over.

        Raises:
            PlanningTimeoutError: it is.
        """
        if self._clock() >= self._end:
            raise PlanningTimeoutError


NEVER: Final = Deadline(float("inf"))
