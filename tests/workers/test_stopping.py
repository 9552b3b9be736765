"""Stopping a worker."""

import asyncio

import pytest
from arq.connections import ArqRedis

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
