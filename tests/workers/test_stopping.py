"""Stopping a worker."""

import asyncio

import pytest
from arq.connections import ArqRedis
from sqlalchemy import text

from tests.workers.harness import run_worker, wait_until
from workers import queues
from workers.arq_worker import create_worker, stop
from workers.platform import Platform
from workers.registry import Registry
from workers.runner import Runner

# arq calls the deprecated name when it closes its pool.
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated close:DeprecationWarning")


async def test_a_worker_stops_although_its_job_is_cancelled(platform: Platform, queue: ArqRedis) -> None:
    worker = create_worker(Runner(platform, Registry()), queue, queues.DEFAULT)
    job = worker.tasks["just started"] = asyncio.create_task(asyncio.Event().wait())
    running = asyncio.create_task(worker.async_run())
    await asyncio.sleep(0)
    await stop([worker])
    await asyncio.wait({running})
    assert (job.cancelled(), running.cancelled()) == (True, True)


async def test_a_worker_that_stops_closes_its_connections(
    environ: dict[str, str], platform: Platform, queue: ArqRedis
) -> None:
    async def count_connections() -> int:
        return len(await queue.client_list())

    before = await count_connections()

    async def is_connected() -> bool:
        return await count_connections() >= before + len(queues.CONCURRENCY)

    async def is_listening() -> bool:
        async with platform.books.database.read() as session:
            found = await session.execute(text("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'LISTEN %'"))
            return found.first() is not None

    async def is_disconnected() -> bool:
        return await count_connections() == before

    async with run_worker(environ, platform, Registry()):
        await wait_until(is_connected)
        # asyncpg logs an error where it is cancelled while it connects.
        await wait_until(is_listening)
    await wait_until(is_disconnected)
