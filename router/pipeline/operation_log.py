"""The log of completed operations, formatted and written by a thread of its own.

A request only queues a record. The thread formats many records and writes them at once, so that neither the
formatting nor a blocked output delays requests; records it cannot keep up with are dropped and counted.
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

MAX_QUEUED = 10_000
MAX_BATCH = 1000
BATCH_SECONDS = 0.1
FLUSH_SECONDS = 2.0


class _Record(NamedTuple):
    at: float
    trace_id: str
    kind: str
    name: str | None
    outcome: str
    seconds: float

    def encode(self) -> bytes:
        metadata = {
            "operation": self.kind,
            **({"name": self.name} if self.name else {}),
            "outcome": self.outcome,
            "milliseconds": round(self.seconds * 1000, 1),
        }
        return encode_line("info", self.at, self.trace_id, "An operation completed", metadata)


class OperationLog:
    """Queues records of operations and writes them to standard output."""

    def __init__(self, metrics: Metrics) -> None:
        self._dropped = metrics.dropped_lines
        self._queue: deque[_Record] = deque()
        self._has_records = threading.Event()
        self._is_closing = threading.Event()
        self._thread = threading.Thread(target=self._write, name="operation-log", daemon=True)

    def record(self, trace_id: str, kind: str, name: str | None, outcome: str, seconds: float) -> None:
        """Queues a record, unless the log level excludes it."""
        if not log.isEnabledFor(logging.INFO):
            return
        if len(self._queue) >= MAX_QUEUED:
            self._dropped.inc()
            return
        self._queue.append(_Record(time.time(), trace_id, kind, name, outcome, seconds))
        if not self._has_records.is_set():
            self._has_records.set()

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Writes records until it is closed; the remaining ones are flushed within `FLUSH_SECONDS`."""
        self._thread.start()
        try:
            yield
        finally:
            self._is_closing.set()
            self._has_records.set()
            await asyncio.to_thread(self._thread.join, FLUSH_SECONDS)

    def _write(self) -> None:
        is_closing = False
        while not is_closing:
            self._has_records.wait()
            # Operations that complete meanwhile are written with the same batch. What was recorded before it
            # is closed is always written, however late this thread runs.
            is_closing = self._is_closing.wait(BATCH_SECONDS)
            self._has_records.clear()
            while self._queue:
                count = min(len(self._queue), MAX_BATCH)
                lines = (self._queue.popleft().encode() for _ in range(count))
                sys.stdout.write("".join(f"{line.decode()}\n" for line in lines))
                sys.stdout.flush()
