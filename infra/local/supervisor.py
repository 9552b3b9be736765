"""The supervisor: keeps a set of processes running, and ends them together."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import httpx2

from infra.local.process import Family, ProcessFailed, ProcessSpec, rotate_log, spawn, stop_all

LOOK_EVERY = 0.2
FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0
STEADY_AFTER = 30.0
STOP_WITHIN = 8.0

Notice = Callable[[str, str], None]


@dataclass(slots=True)
class _Child:
    spec: ProcessSpec
    ready_url: str
    process: subprocess.Popen[bytes]
    started: float
    crashes: int = 0
    due: float | None = None


class Supervisor:
    """Starts processes, waits until they are ready, and starts again those that end by themselves.

    The delay before a restart doubles with each crash, and falls back once a process has run steadily.
    `notice` hears, by process name, what happens.
    """

    def __init__(self, family: Family, notice: Notice) -> None:
        self._family = family
        self._notice = notice
        self._children: dict[str, _Child] = {}

    @property
    def pids(self) -> dict[str, int]:
        """The process id of each process that runs now."""
        return {
            name: child.process.pid for name, child in self._children.items() if child.process.poll() is None
        }

    def start(self, spec: ProcessSpec, ready_url: str) -> None:
        """Start a process that tells at `ready_url` when it is ready."""
        rotate_log(self._family.logs, spec.name)
        process = spawn(spec, self._family)
        self._children[spec.name] = _Child(spec, ready_url, process, time.monotonic())

    async def wait_until_ready(self, names: Iterable[str], within: float) -> None:
        """Wait for the processes to be ready.

        Raises:
            ProcessFailed: One ended, or took too long; the message carries the end of its log.
        """
        deadline = time.monotonic() + within
        waiting = [self._children[name] for name in names]
        async with httpx2.AsyncClient(timeout=2) as client:
            while waiting:
                for child in waiting:
                    code = child.process.poll()
                    if code is not None or time.monotonic() > deadline:
                        raise ProcessFailed(child.spec.name, self._family.logs, code)
                waiting = [child for child in waiting if not await _is_ready(client, child)]
                await asyncio.sleep(0.1 if waiting else 0)

    async def keep(self) -> None:
        """Restart what crashes, for ever."""
        while True:
            now = time.monotonic()
            for child in self._children.values():
                self._look_after(child, now)
            await asyncio.sleep(LOOK_EVERY)

    def _look_after(self, child: _Child, now: float) -> None:
        if child.due is not None:
            if now >= child.due:
                child.process = spawn(child.spec, self._family)
                child.started, child.due = now, None
                self._notice(child.spec.name, f"started again, process {child.process.pid}")
        elif (code := child.process.poll()) is not None:
            child.crashes = child.crashes + 1 if now - child.started < STEADY_AFTER else 1
            delay = min(FIRST_DELAY * 2 ** (child.crashes - 1), LONGEST_DELAY)
            child.due = now + delay
            self._notice(child.spec.name, f"{_ending(code)}; starting it again in {delay:g} s")

    async def stop(self) -> None:
        """End all processes at the same time: politely, then by force."""
        running = {name: (child.process, child.spec.stop_signal) for name, child in self._children.items()}
        self._children.clear()
        for name in await asyncio.to_thread(stop_all, running, STOP_WITHIN):
            self._notice(name, "did not stop in time and was killed")


async def _is_ready(client: httpx2.AsyncClient, child: _Child) -> bool:
    try:
        answer = await client.get(child.ready_url)
    except httpx2.HTTPError:
        return False
    return answer.status_code == 200


def _ending(code: int) -> str:
    return f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
