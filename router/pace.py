"""Pace: how long work in a thread beside the event loop goes on before it rests.

Threads of one interpreter take turns. The loop's thread gives its turn away whenever it reads or writes a
socket, and waits for the other one to get it back: beside a thread that always computes, each of the small
steps of a request takes as long as a turn. So whatever computes for long rests after every millisecond, for
twice as long, and the loop does its work meanwhile.
"""

from __future__ import annotations

import time

WORK_SECONDS = 0.001
REST_SECONDS = 0.002


class Pace:
    """The work of one thread, which rests from time to time."""

    __slots__ = ("_until",)

    def __init__(self) -> None:
        self._until = time.perf_counter() + WORK_SECONDS

    def keep(self) -> None:
        """Rests if the work has gone on for long enough; to be called at each of its steps."""
        if time.perf_counter() >= self._until:
            time.sleep(REST_SECONDS)
            self._until = time.perf_counter() + WORK_SECONDS
