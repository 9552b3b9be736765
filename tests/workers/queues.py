"""A worker of a queue of its own, for tests; run as a process it holds its job until it is killed."""

import asyncio
import os
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

from arq import Worker

from tests.support.subgraph import settings_of
from workers import settings as worker_settings
from workers.platform import Platform
from workers.registry import REGISTRY, Handler, Registry
from workers.relay import Relay
from workers.settings import create_worker, keep_marks, open_queue, stop

JOB = "print.HoldStill"


@asynccontextmanager
async def working(environ: Mapping[str, str], handler: Handler) -> AsyncIterator[Worker]:
    """A worker with one handler, at work with its heart beating."""
    queue = await open_queue(settings_of("auth", environ))
    nowhere = cast("Platform", None)
    worker = create_worker(nowhere, queue, Registry({JOB: handler}, defaultdict(list)))
    async with _at_work(worker, keep_marks(worker)):
        yield worker


@asynccontextmanager
async def all_working(environ: Mapping[str, str], platform: Platform) -> AsyncIterator[None]:
    """A worker with every task of the platform, and its relay."""
    queue = await open_queue(settings_of("auth", environ))
    worker = create_worker(platform, queue, REGISTRY)
    async with _at_work(worker, keep_marks(worker), Relay(platform, queue, REGISTRY).run()):
        yield


@asynccontextmanager
async def _at_work(worker: Worker, *beside: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    running = asyncio.create_task(worker.async_run())
    others = [asyncio.create_task(work) for work in beside]
    try:
        yield
    finally:
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await stop(worker, running)


def beat_fast() -> None:
    """Let a dead worker's mark fade within a second, so that a test need not wait long."""
    vars(worker_settings)["_IN_PROGRESS_SECONDS"] = 1
    vars(worker_settings)["_HEARTBEAT_SECONDS"] = 0.2


async def hold_until_killed() -> None:
    """Take the job, say so, and never finish it."""
    beat_fast()

    async def hold(platform: Platform, payload: dict[str, Any], message_id: str) -> None:
        del platform, payload, message_id
        sys.stdout.write("holding\n")
        sys.stdout.flush()
        await asyncio.Event().wait()

    async with working(os.environ, hold):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(hold_until_killed())
