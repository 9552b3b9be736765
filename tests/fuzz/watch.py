"""What the harness reads of every process: CPU, memory, files, its loop's meter and its log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from infra.console import Tail
from infra.local.process import log_file
from tests.fuzz.target import Target

MEBIBYTE = 1 << 20
# An idle process wakes for its timers, and the bystander asks all the time.
IDLE_SHARE = 0.25
LOOK_EVERY = 0.1
SERVERS_OF_DATA = ("postgres", "valkey")


@dataclass(frozen=True, slots=True)
class Reading:
    """One process at one moment."""

    pid: int
    cpu_seconds: float
    loop_seconds: float
    resident: float
    files: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What one process used in the course of an attack; times are of the CPU, memory is in MiB."""

    held: float
    starved: float
    collecting: float
    where: str
    loop_seconds: float
    cpu_afterwards: float
    peak_growth: float
    has_settled: bool
    has_ended: bool


class Watch:
    """Looks at all processes of a platform."""

    def __init__(self, target: Target) -> None:
        self._target = target
        names = (*SERVERS_OF_DATA, *target.meters)
        self._tails = {name: Tail(log_file(target.logs_dir, name), from_start=False) for name in names}
        self._before: dict[str, Reading] = {}

    def begin(self) -> None:
        """Note how things stand, and forget what was logged and measured before."""
        self.log_lines()
        for meter in self._target.meters.values():
            meter.clear()
        for pid in self._target.observed.values():
            with suppress(OSError):
                Path(f"/proc/{pid}/clear_refs").write_text("5")
        self._before = self.readings()

    def readings(self) -> dict[str, Reading]:
        """Every observed process now."""
        found = {}
        for name, pid in self._target.observed.items():
            with suppress(psutil.Error):
                found[name] = _read(pid)
        return found

    async def end(self, patience: float) -> dict[str, Usage]:
        """What was used since the beginning, once all have come to rest or patience ends."""
        at_end = self.readings()
        restless = await self._settle(patience)
        last = self.readings()
        usage = {}
        for name, before in self._before.items():
            meter, now = self._target.meters[name], last.get(name)
            has_ended = now is None or now.pid != before.pid
            reading, then = (before, before) if now is None or has_ended else (now, at_end.get(name, now))
            usage[name] = Usage(
                meter.held,
                meter.starved,
                meter.collecting,
                meter.where,
                then.loop_seconds - before.loop_seconds,
                reading.cpu_seconds - then.cpu_seconds,
                0.0 if has_ended else _peak(reading.pid) - before.resident,
                name not in restless,
                has_ended,
            )
        return usage

    def log_lines(self) -> dict[str, list[str]]:
        """What each process has logged since the last call."""
        return {name: lines for name, tail in self._tails.items() if (lines := tail.lines())}

    async def _settle(self, patience: float) -> set[str]:
        """The processes that still work when patience ends; the worker may have jobs to do."""
        deadline = time.monotonic() + patience
        waiting = {name for name in self._target.observed if not name.startswith("worker")}
        while waiting and time.monotonic() < deadline:
            before, started = self.readings(), time.monotonic()
            await asyncio.sleep(LOOK_EVERY)
            waiting = _busy(waiting, before, self.readings(), time.monotonic() - started)
        return waiting


def _busy(
    names: Iterable[str], before: dict[str, Reading], after: dict[str, Reading], seconds: float
) -> set[str]:
    return {
        name
        for name in names
        if name in before
        and name in after
        and after[name].cpu_seconds - before[name].cpu_seconds > IDLE_SHARE * seconds
    }


def _read(pid: int) -> Reading:
    process = psutil.Process(pid)
    with process.oneshot():
        files, resident = process.num_fds(), process.memory_info().rss / MEBIBYTE
    times = _thread_seconds(pid)
    # The loop runs in the first thread, which has the number of the process.
    return Reading(pid, sum(times.values()), times.get(pid, 0.0), resident, files)


def _thread_seconds(pid: int) -> dict[int, float]:
    """The CPU time of each thread, of which the kernel's other figures have hundredths of a second."""
    times = {}
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            times[int(thread.name)] = int((thread / "schedstat").read_text().split()[0]) / 1e9
    return times


def _peak(pid: int) -> float:
    """The most memory that a process had since that was last cleared."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0
