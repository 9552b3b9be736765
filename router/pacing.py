"""Pacing: a thread that computes for long pauses regularly, so that the event loop gets the GIL.

The loop's thread releases the GIL whenever it reads or writes a socket, and then waits to get it back: beside
a thread that computes without pause, each of the small steps of a request takes as long as a switch interval.
So long computations sleep after every millisecond, for twice as long.
"""

from __future__ import annotations

import time

WORK_SECONDS = 0.001
PAUSE_SECONDS = 0.002


class Pacer:
    """Paces the work of one thread."""

    __slots__ = ("_until",)

    def __init__(self) -> None:
        self._until = time.perf_counter() + WORK_SECONDS

    def pause_if_due(self) -> None:
        """Sleeps if the thread has worked for long enough; to be called at every step of the work."""
        if time.perf_counter() >= self._until:
            time.sleep(PAUSE_SECONDS)
            self._until = time.perf_counter() + WORK_SECONDS
