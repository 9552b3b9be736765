"""`python -m tests.fuzz.observed PAGE MODULE ARGUMENTS`: a process whose event loop is measured."""

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

BEAT = 0.002
LOOK_EVERY = 0.005
LONG = 0.012
FRAMES = 10


class Pulse:
    """A timer of the loop: what lies between two of its beats has held everybody else up."""

    def __init__(self, loop: asyncio.AbstractEventLoop, meter: Meter) -> None:
        self._loop = loop
        self._meter = meter
        self._thread = threading.get_ident()
        self._clock = time.pthread_getcpuclockid(self._thread)
        self._where = ""
        self._collecting = self._began = 0.0
        gc.callbacks.append(self._collect)
        self._own, self._all = time.thread_time(), time.process_time()
        threading.Thread(target=self._look, daemon=True).start()
        loop.call_soon(self._beat)

    def _beat(self) -> None:
        own, everything = time.thread_time(), time.process_time()
        held = own - self._own - self._collecting
        everyone = everything - self._all - self._collecting
        self._meter.note(held, everyone, self._collecting, self._where)
        self._own, self._all, self._collecting, self._where = own, everything, 0.0, ""
        self._loop.call_later(BEAT, self._beat)

    def _collect(self, phase: str, _: dict[str, int]) -> None:
        if threading.get_ident() != self._thread:
            return
        if phase == "start":
            self._began = time.thread_time()
        else:
            self._collecting += time.thread_time() - self._began

    def _look(self) -> None:
        """Write down where the loop's thread is once it has kept others waiting for long."""
        while True:
            time.sleep(LOOK_EVERY)
            if time.clock_gettime(self._clock) - self._own > LONG and not self._where:
                self._where = _frames(sys._current_frames().get(self._thread))


def _frames(frame: FrameType | None) -> str:
    lines: list[str] = []
    while frame is not None and len(lines) < FRAMES:
        file = Path(frame.f_code.co_filename)
        lines.append(f"{'/'.join(file.parts[-3:])}:{frame.f_lineno} {frame.f_code.co_name}")
        frame = frame.f_back
    return "\n".join(lines)


def observe(kind: Any, meter: Meter) -> None:
    """Let every loop of a kind beat from the moment it runs."""
    run_forever = kind.run_forever

    def run_observed(loop: asyncio.AbstractEventLoop) -> None:
        if not hasattr(loop, "pulse"):
            loop.pulse = Pulse(loop, meter)  # type: ignore[attr-defined]
        run_forever(loop)

    kind.run_forever = run_observed


def main() -> None:
    """Run the module as the platform would, observed."""
    page, module, *arguments = sys.argv[1:]
    meter = Meter(Path(page))
    for kind in (uvloop.Loop, asyncio.BaseEventLoop):
        observe(kind, meter)
    sys.argv[1:] = arguments
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
