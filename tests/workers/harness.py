"""Workers inside a test and in a process; run as a module, a worker that holds its job until it is killed."""

import asyncio
import os
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from arq import Worker

from tests.support.subgraph import build_settings
from workers import arq_worker
from workers.arq_worker import create_worker, open_queue, renew_in_progress_marks, stop
from workers.platform import Platform
from workers.registry import REGISTRY, Handler, Registry
from workers.relay import Relay

JOB = "print.HoldStill"
ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def run_worker(environ: Mapping[str, str], handler: Handler) -> AsyncIterator[Worker]:
    """Run a worker with one handler, renewing its in-progress marks."""
    queue = await open_queue(build_settings("auth", environ))
    nowhere = cast("Platform", None)
    worker = create_worker(nowhere, queue, Registry({JOB: handler}, defaultdict(list)))
    async with _run(worker, renew_in_progress_marks(worker)):
        yield worker


@asynccontextmanager
async def run_full_worker(environ: Mapping[str, str], platform: Platform) -> AsyncIterator[None]:
    """Run a worker with every registered task, and the outbox relay."""
    queue = await open_queue(build_settings("auth", environ))
    worker = create_worker(platform, queue, REGISTRY)
    async with _run(worker, renew_in_progress_marks(worker), Relay(platform, queue, REGISTRY).run()):
        yield


@asynccontextmanager
async def _run(worker: Worker, *coroutines: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    running = asyncio.create_task(worker.async_run())
    background = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        yield
    finally:
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await stop(worker, running)


@asynccontextmanager
async def run_worker_process(
    environ: Mapping[str, str],
    module: str = "workers",
    stdout: int = asyncio.subprocess.DEVNULL,
    **settings: str,
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a module as a worker process, and kill it in the end; `settings` override `environ`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module), cwd=ROOT, env={**os.environ, **environ, **settings}, stdout=stdout
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def wait_until(condition: Callable[[], Awaitable[bool]], seconds: float = 90) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - the state changes in another process
            await asyncio.sleep(0.02)


def shorten_heartbeat() -> None:
    """Shorten the in-progress marks to one second, so that a takeover is quick."""
    vars(arq_worker)["_IN_PROGRESS_TTL_SECONDS"] = 1
    vars(arq_worker)["_HEARTBEAT_SECONDS"] = 0.2


async def hold_until_killed() -> None:
    """Take one job, print `holding`, and never finish it."""
    shorten_heartbeat()

    async def hold(platform: Platform, payload: dict[str, Any], message_id: str) -> None:
        del platform, payload, message_id
        sys.stdout.write("holding\n")
        sys.stdout.flush()
        await asyncio.Event().wait()

    async with run_worker(os.environ, hold):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(hold_until_killed())
