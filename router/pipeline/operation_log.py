"""The line that each answered operation leaves in the log, made and written apart from the event loop.

A request only notes what its line says. A thread makes the lines of many requests and writes them at once,
so that neither their making nor an output that nobody reads holds up requests; what it cannot keep up with
is dropped and counted.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from router.telemetry import Metrics, encode_line, log

MAX_WAITING = 10_000
MAX_AT_ONCE = 1000
BATCH_SECONDS = 0.1
END_SECONDS = 2.0


class _Answered(NamedTuple):
    at: float
    trace_id: str
    kind: str
    name: str | None
    outcome: str
    seconds: float

    def line(self) -> bytes:
        metadata = {
            "operation": self.kind,
            "name": self.name,
            "outcome": self.outcome,
            "milliseconds": round(self.seconds * 1000, 1),
        }
        return encode_line("info", self.at, self.trace_id, "An operation was answered", metadata)


class OperationLog:
    """Notes answered operations, and writes them where the log goes."""

    def __init__(self, metrics: Metrics) -> None:
        self._dropped = metrics.dropped_lines
        self._waiting: deque[_Answered] = deque()
        self._noted = threading.Event()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="operation-log", daemon=True)

    def note(self, trace_id: str, kind: str, name: str | None, outcome: str, seconds: float) -> None:
        """Has a line written, if operations are logged at all."""
        if not log.isEnabledFor(logging.INFO):
            return
        if len(self._waiting) >= MAX_WAITING:
            self._dropped.inc()
            return
        self._waiting.append(_Answered(time.time(), trace_id, kind, name, outcome, seconds))
        if not self._noted.is_set():
            self._noted.set()

    @asynccontextmanager
    async def written(self) -> AsyncIterator[None]:
        """Writes for as long as the block runs; an output that is not read does not hold up its end."""
        self._thread.start()
        try:
            yield
        finally:
            self._ending.set()
            self._noted.set()
            await asyncio.to_thread(self._thread.join, END_SECONDS)

    def _run(self) -> None:
        while not self._ending.is_set():
            self._noted.wait()
            # What is answered meanwhile is written with it.
            self._ending.wait(BATCH_SECONDS)
            self._noted.clear()
            while self._waiting:
                count = min(len(self._waiting), MAX_AT_ONCE)
                lines = (self._waiting.popleft().line() for _ in range(count))
                sys.stdout.write("".join(f"{line.decode()}\n" for line in lines))
                sys.stdout.flush()
