"""The arq workers, one for each queue, which hand deliveries to the runner.

arq decides when a delivery of a queue starts. What became of it stands in PostgreSQL alone: arq keeps no
results, retries nothing, and may lose or repeat what is on its queue.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, cast

import orjson
from arq import Worker
from arq.connections import ArqRedis
from arq.constants import job_key_prefix
from arq.worker import func
from redis.exceptions import RedisError

from subgraphs.common.redis import BoundedConnection
from subgraphs.common.settings import Settings
from subgraphs.common.telemetry import get_logger
from workers import queues
from workers.relay import DELIVER
from workers.runner import Runner

if TYPE_CHECKING:
    from arq.typing import WorkerCoroutine

_UNLIMITED_SECONDS: Final = 365 * 24 * 3600
_START_MARK_SECONDS: Final = 60
_RETRY_SECONDS: Final = 1.0


def open_queue(settings: Settings) -> ArqRedis:
    """Open a client of the queues; connections are made when they are first used."""
    queue: ArqRedis = ArqRedis.from_url(settings.redis_url, connection_class=BoundedConnection)
    queue.job_serializer = serialize
    return queue


def serialize(value: Any) -> bytes:
    """Serialize a job or its result as JSON; values without a JSON form, such as exceptions, as strings."""
    return orjson.dumps(value, default=str)


async def run_queue(runner: Runner, settings: Settings, queue: str) -> None:
    """Run the worker of a queue until cancelled, and then release what it is handling.

    When Redis is lost, what is being handled goes on, and another worker takes over the queue.
    """
    workers: list[Worker] = []
    try:
        while True:
            try:
                worker = create_worker(runner, open_queue(settings), queue)
                workers.append(worker)
                await worker.async_run()
            except (OSError, RedisError) as error:
                get_logger().warning(
                    "A queue cannot be reached; its jobs are kept, and the worker reconnects",
                    queue=queue,
                    error=error,
                )
            workers = [each for each in workers if not await _close_if_idle(each)]
            await asyncio.sleep(_RETRY_SECONDS)
    finally:
        # Redis is called with timeouts, and before Python 3.11.3 none works in a task that was cancelled.
        await asyncio.create_task(stop(workers))


class _QueueWorker(Worker):
    """An arq worker that starts nothing more when its process is to end."""

    def __init__(self, draining: asyncio.Event, **options: Any) -> None:
        super().__init__(**options)
        self._draining = draining

    async def start_jobs(self, job_ids: list[bytes]) -> None:
        """Start jobs from the queue, or leave them there for other workers."""
        if not self._draining.is_set():
            await super().start_jobs(job_ids)


def create_worker(runner: Runner, connection: ArqRedis, queue: str) -> Worker:
    """Create an arq worker for a queue; it owns the connection."""
    # Its lines repeat the runner's.
    logging.getLogger("arq.worker").setLevel(logging.WARNING)

    async def deliver(ctx: dict[str, Any], *, domain: str, delivery_id: str, attempts: int) -> None:
        # What has started is not on the queue any more, so that no worker starts it again under this id.
        await connection.zrem(queues.build_key(queue), ctx["job_id"])
        await connection.delete(job_key_prefix + ctx["job_id"])
        await runner.run(domain, delivery_id, attempts)

    worker = _QueueWorker(
        runner.draining,
        functions=[func(cast("WorkerCoroutine", deliver), name=DELIVER)],
        queue_name=queues.build_key(queue),
        redis_pool=connection,
        handle_signals=False,
        max_jobs=queues.CONCURRENCY[queue],
        job_timeout=_UNLIMITED_SECONDS,
        keep_result=0,
        poll_delay=0.1,
        log_results=False,
        job_serializer=serialize,
        job_deserializer=orjson.loads,
    )
    # How long others leave alone what a worker has picked that died before it took it off the queue.
    worker.in_progress_timeout_s = _START_MARK_SECONDS
    return worker


async def stop(workers: Sequence[Worker]) -> None:
    """Stop workers; the deliveries that they are handling are released.

    `Worker.close` gathers the jobs it cancels without `return_exceptions`, so a cancelled job would cancel
    the caller too. The jobs are therefore cancelled and awaited before it is called.
    """
    tasks = [task for worker in workers for task in (worker.main_task, *worker.tasks.values()) if task]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for worker in workers:
        await _close(worker)


async def _close_if_idle(worker: Worker) -> bool:
    """Close a worker that has ended; false, and nothing is done, while it is still handling something."""
    if any(not task.done() for task in worker.tasks.values()):
        return False
    # Each could not take its job off the queue that is gone.
    await asyncio.gather(*worker.tasks.values(), return_exceptions=True)
    await _close(worker)
    return True


async def _close(worker: Worker) -> None:
    worker.tasks.clear()
    with suppress(OSError, RedisError):
        await worker.close()
