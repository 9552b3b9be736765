"""Monitoring of every process: CPU, memory, open files, event loop and log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from infra.local.process import get_log_file
from infra.log_tail import Tail
from tests.fuzz.target import Target

MEBIBYTE = 1 << 20
# CPU share of an idle process, which still runs timers and serves the bystander.
IDLE_SHARE = 0.25
POLL_INTERVAL = 0.1
DATA_STORES = ("postgres", "valkey")


@dataclass(frozen=True, slots=True)
class Sample:
    """The resource usage of a process at one moment; `resident` is in MiB."""

    pid: int
    cpu_seconds: float
    loop_seconds: float
    resident: float
    files: int


@dataclass(frozen=True, slots=True)
class Usage:
    """The resource usage of a process during an attack: CPU time in seconds, memory in MiB."""

    blocked: float
    starved: float
    gc: float
    stack: str
    loop_seconds: float
    cpu_afterwards: float
    peak_growth: float
    has_settled: bool
    has_ended: bool


class ProcessMonitor:
    """Monitors all processes of a platform."""

    def __init__(self, target: Target) -> None:
        self._target = target
        names = (*DATA_STORES, *target.meters)
        self._tails = {name: Tail(get_log_file(target.logs_dir, name), from_start=False) for name in names}
        self._before: dict[str, Sample] = {}

    def begin(self) -> None:
        """Take samples and reset the meters, peaks and log positions."""
        self.read_log_lines()
        for meter in self._target.meters.values():
            meter.clear()
        for pid in self._target.instrumented.values():
            with suppress(OSError):
                Path(f"/proc/{pid}/clear_refs").write_text("5")
        self._before = self.take_samples()

    def take_samples(self) -> dict[str, Sample]:
        """Sample every instrumented process."""
        found = {}
        for name, pid in self._target.instrumented.items():
            with suppress(psutil.Error):
                found[name] = _read_sample(pid)
        return found

    async def end(self, patience: float) -> dict[str, Usage]:
        """Return the usage since `begin`, once all processes are idle or `patience` seconds have passed."""
        at_end = self.take_samples()
        busy = await self._settle(patience)
        last = self.take_samples()
        usage = {}
        for name, before in self._before.items():
            meter, now = self._target.meters[name], last.get(name)
            has_ended = now is None or now.pid != before.pid
            reading, then = (before, before) if now is None or has_ended else (now, at_end.get(name, now))
            usage[name] = Usage(
                meter.blocked,
                meter.starved,
                meter.gc,
                meter.stack,
                then.loop_seconds - before.loop_seconds,
                reading.cpu_seconds - then.cpu_seconds,
                0.0 if has_ended else _read_peak(reading.pid) - before.resident,
                name not in busy,
                has_ended,
            )
        return usage

    def read_log_lines(self) -> dict[str, list[str]]:
        """Read the lines that each process has logged since the last call."""
        return {name: lines for name, tail in self._tails.items() if (lines := tail.read_lines())}

    async def _settle(self, patience: float) -> set[str]:
        """Wait up to `patience` seconds until all processes but the worker are idle; return the busy ones."""
        deadline = time.monotonic() + patience
        waiting = {name for name in self._target.instrumented if not name.startswith("worker")}
        while waiting and time.monotonic() < deadline:
            before, started = self.take_samples(), time.monotonic()
            await asyncio.sleep(POLL_INTERVAL)
            waiting = _find_busy(waiting, before, self.take_samples(), time.monotonic() - started)
        return waiting


def _find_busy(
    names: Iterable[str], before: dict[str, Sample], after: dict[str, Sample], seconds: float
) -> set[str]:
    return {
        name
        for name in names
        if name in before
        and name in after
        and after[name].cpu_seconds - before[name].cpu_seconds > IDLE_SHARE * seconds
    }


def _read_sample(pid: int) -> Sample:
    process = psutil.Process(pid)
    with process.oneshot():
        files, resident = process.num_fds(), process.memory_info().rss / MEBIBYTE
    times = _read_thread_seconds(pid)
    # The loop runs in the main thread, whose id is the process id.
    return Sample(pid, sum(times.values()), times.get(pid, 0.0), resident, files)


def _read_thread_seconds(pid: int) -> dict[int, float]:
    """Read the CPU seconds of each thread; schedstat has nanoseconds, other files only clock ticks."""
    times = {}
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            times[int(thread.name)] = int((thread / "schedstat").read_text().split()[0]) / 1e9
    return times


def _read_peak(pid: int) -> float:
    """Read the peak resident memory of a process since `clear_refs`, in MiB."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0
