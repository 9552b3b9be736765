"""Stop requests for long-running commands."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

POLL_INTERVAL = 0.5


@asynccontextmanager
async def stop_on_signals() -> AsyncIterator[asyncio.Event]:
    """Yield an event that is set by SIGINT, SIGTERM, SIGHUP, or the end of the `make` that started us.

    A `make` that is killed cannot forward the signal, so its child polls whether it still runs.
    """
    stopped = asyncio.Event()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    loop = asyncio.get_running_loop()
    for number in numbers:
        loop.add_signal_handler(number, stopped.set)
    watcher = asyncio.create_task(_watch_parent(stopped)) if "MAKELEVEL" in os.environ else None
    try:
        yield stopped
    finally:
        if watcher is not None:
            watcher.cancel()
        for number in numbers:
            loop.remove_signal_handler(number)


async def _watch_parent(stopped: asyncio.Event) -> None:
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110 - no event reports the end of a parent process
        await asyncio.sleep(POLL_INTERVAL)
    stopped.set()
