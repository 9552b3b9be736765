"""The supervisor: runs a set of processes, restarts those that end, and stops them together."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import httpx2

from infra.local.process import (
    Backoff,
    ProcessContext,
    ProcessFailed,
    ProcessSpec,
    rotate_large_log,
    rotate_log,
    spawn,
    stop_all,
)

POLL_INTERVAL = 0.2
STABLE_AFTER = 30.0

StatusListener = Callable[[str, str], None]


@dataclass(slots=True)
class _Child:
    spec: ProcessSpec
    ready_url: str
    process: subprocess.Popen[bytes]
    started: float
    backoff: Backoff = field(default_factory=lambda: Backoff(STABLE_AFTER))
    restart_at: float | None = None


class Supervisor:
    """Starts processes, waits until they are ready, and restarts those that end unexpectedly.

    The delay before a restart doubles with each crash and is reset once a process has run for a while.
    `on_status` is called with a process name and a message. `stop_timeout` is in seconds.
    """

    def __init__(self, context: ProcessContext, on_status: StatusListener, stop_timeout: float) -> None:
        self._context = context
        self._stop_timeout = stop_timeout
        self._on_status = on_status
        self._children: dict[str, _Child] = {}

    @property
    def pids(self) -> dict[str, int]:
        """The process id of each running process."""
        return {
            name: child.process.pid for name, child in self._children.items() if child.process.poll() is None
        }

    def start(self, spec: ProcessSpec, ready_url: str) -> None:
        """Start a process; `ready_url` answers 200 once it is ready."""
        rotate_log(self._context.logs, spec.name)
        process = spawn(spec, self._context)
        self._children[spec.name] = _Child(spec, ready_url, process, time.monotonic())

    async def wait_until_ready(self, names: Iterable[str], within: float) -> None:
        """Wait until the processes are ready.

        Raises:
            ProcessFailed: A process ended or took too long; the message contains the end of its log.
        """
        deadline = time.monotonic() + within
        waiting = [self._children[name] for name in names]
        async with httpx2.AsyncClient(timeout=2) as client:
            while waiting:
                for child in waiting:
                    code = child.process.poll()
                    if code is not None or time.monotonic() > deadline:
                        raise ProcessFailed(child.spec.name, self._context.logs, code)
                waiting = [child for child in waiting if not await _is_ready(client, child)]
                await asyncio.sleep(0.1 if waiting else 0)

    async def run(self) -> None:
        """Restart crashed processes, and rotate logs that grow too large, until cancelled."""
        while True:
            now = time.monotonic()
            for child in self._children.values():
                self._restart_if_ended(child, now)
                rotate_large_log(self._context.logs, child.spec.name)
            await asyncio.sleep(POLL_INTERVAL)

    def _restart_if_ended(self, child: _Child, now: float) -> None:
        if child.restart_at is not None:
            if now >= child.restart_at:
                child.process = spawn(child.spec, self._context)
                child.started, child.restart_at = now, None
                self._on_status(child.spec.name, f"restarted as process {child.process.pid}")
        elif (code := child.process.poll()) is not None:
            delay = child.backoff.compute_delay(now - child.started)
            child.restart_at = now + delay
            self._on_status(child.spec.name, f"{_describe_exit(code)}; restarting in {delay:g} s")

    async def stop(self) -> None:
        """Stop all processes in parallel, killing those that do not stop in time."""
        running = {name: (child.process, child.spec.stop_signal) for name, child in self._children.items()}
        self._children.clear()
        for name in await asyncio.to_thread(stop_all, running, self._stop_timeout):
            self._on_status(name, "did not stop in time and was killed")


async def _is_ready(client: httpx2.AsyncClient, child: _Child) -> bool:
    try:
        response = await client.get(child.ready_url)
    except httpx2.HTTPError:
        return False
    return response.status_code == 200


def _describe_exit(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exited with code {code}"
