"""How a command learns that it shall end."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

LOOK_EVERY = 0.5


@asynccontextmanager
async def until_told_to_stop() -> AsyncIterator[asyncio.Event]:
    """An event that is set by Ctrl-C, by SIGTERM, by the end of the terminal, and by the end of make.

    make cannot pass on a `kill -9`, so a command that it started looks whether it is still there.
    """
    stopped = asyncio.Event()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    loop = asyncio.get_running_loop()
    for number in numbers:
        loop.add_signal_handler(number, stopped.set)
    watching = asyncio.create_task(_watch_make(stopped)) if "MAKELEVEL" in os.environ else None
    try:
        yield stopped
    finally:
        if watching is not None:
            watching.cancel()
        for number in numbers:
            loop.remove_signal_handler(number)


async def _watch_make(stopped: asyncio.Event) -> None:
    make = os.getppid()
    while os.getppid() == make:  # noqa: ASYNC110 - no event tells of a parent's end
        await asyncio.sleep(LOOK_EVERY)
    stopped.set()
