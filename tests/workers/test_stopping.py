"""Stopping a worker."""

import asyncio
from collections import defaultdict
from typing import cast

import pytest
from arq.connections import ArqRedis

from workers.arq_worker import create_worker, stop
from workers.platform import Platform
from workers.registry import Registry

# arq calls the deprecated name when it closes its pool.
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated close:DeprecationWarning")


async def test_a_worker_stops_although_its_job_is_cancelled(queue: ArqRedis) -> None:
    async def ignore(platform: Platform, payload: dict[str, object], message_id: str) -> None:
        del platform, payload, message_id

    worker = create_worker(
        cast("Platform", None), queue, Registry({"print.Ignore": ignore}, defaultdict(list))
    )
    job = worker.tasks["just started"] = asyncio.create_task(asyncio.Event().wait())
    running = asyncio.create_task(worker.async_run())
    await asyncio.sleep(0)
    await stop(worker, running)
    assert (job.cancelled(), running.cancelled()) == (True, True)
