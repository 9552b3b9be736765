"""`python -m tests.fuzz.instrumented PAGE MODULE ARGUMENTS`: run a module, measuring its event loop.

PAGE is the file through whose memory the harness reads the measurements (`tests/fuzz/meter.py`).
"""

from __future__ import annotations

import asyncio
import gc
import runpy
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

import uvloop

from tests.fuzz.meter import Meter

PROBE_INTERVAL = 0.002
POLL_INTERVAL = 0.005
BLOCKED_THRESHOLD = 0.012
MAX_FRAMES = 10


class LoopProbe:
    """Measures the CPU time between two ticks of a timer on the loop: how long the loop was blocked."""

    def __init__(self, loop: asyncio.AbstractEventLoop, meter: Meter) -> None:
        self._loop = loop
        self._meter = meter
        self._thread = threading.get_ident()
        self._clock = time.pthread_getcpuclockid(self._thread)
        self._stack = ""
        self._gc_seconds = self._gc_started = 0.0
        gc.callbacks.append(self._time_gc)
        self._thread_seconds, self._process_seconds = time.thread_time(), time.process_time()
        threading.Thread(target=self._sample_stack, daemon=True).start()
        loop.call_soon(self._tick)

    def _tick(self) -> None:
        thread, process = time.thread_time(), time.process_time()
        blocked = thread - self._thread_seconds - self._gc_seconds
        starved = process - self._process_seconds - self._gc_seconds
        self._meter.record(blocked, starved, self._gc_seconds, self._stack)
        self._thread_seconds, self._process_seconds, self._gc_seconds, self._stack = thread, process, 0.0, ""
        self._loop.call_later(PROBE_INTERVAL, self._tick)

    def _time_gc(self, phase: str, _: dict[str, int]) -> None:
        if threading.get_ident() != self._thread:
            return
        if phase == "start":
            self._gc_started = time.thread_time()
        else:
            self._gc_seconds += time.thread_time() - self._gc_started

    def _sample_stack(self) -> None:
        """Record the loop thread's stack once the loop has been blocked for long."""
        while True:
            time.sleep(POLL_INTERVAL)
            if time.clock_gettime(self._clock) - self._thread_seconds > BLOCKED_THRESHOLD and not self._stack:
                self._stack = _format_frames(sys._current_frames().get(self._thread))


def _format_frames(frame: FrameType | None) -> str:
    lines: list[str] = []
    while frame is not None and len(lines) < MAX_FRAMES:
        file = Path(frame.f_code.co_filename)
        lines.append(f"{'/'.join(file.parts[-3:])}:{frame.f_lineno} {frame.f_code.co_name}")
        frame = frame.f_back
    return "\n".join(lines)


def instrument(loop_class: Any, meter: Meter) -> None:
    """Attach a probe to every loop of this class when it runs."""
    run_forever = loop_class.run_forever

    def run_instrumented(loop: asyncio.AbstractEventLoop) -> None:
        if not hasattr(loop, "probe"):
            loop.probe = LoopProbe(loop, meter)  # type: ignore[attr-defined]
        run_forever(loop)

    loop_class.run_forever = run_instrumented


def main() -> None:
    """Run the module as `__main__`, instrumented."""
    page, module, *arguments = sys.argv[1:]
    meter = Meter(Path(page))
    for loop_class in (uvloop.Loop, asyncio.BaseEventLoop):
        instrument(loop_class, meter)
    sys.argv[1:] = arguments
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
