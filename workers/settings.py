"""The arq worker: every registered handler, retried with backoff, and taken over soon after a worker dies."""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast

import orjson
from arq import Retry, Worker, create_pool
from arq.connections import ArqRedis, RedisSettings
from arq.constants import in_progress_key_prefix
from arq.worker import func

from subgraphs.common.errors import DomainError
from subgraphs.common.settings import Settings
from subgraphs.common.telemetry import JOB_SECONDS, JOBS, logger, start_trace
from workers.platform import Platform
from workers.registry import Handler, Registry

if TYPE_CHECKING:
    from arq.typing import WorkerCoroutine

QUEUE: Final = "memorable:jobs"
_MAX_BACKOFF_SECONDS = 60
_JOBS_KEPT: Final = timedelta(days=30)
_JOB_TIMEOUT_SECONDS = 30 * 60
_IN_PROGRESS_SECONDS = 10
_HEARTBEAT_SECONDS = 3


def redis_settings(settings: Settings) -> RedisSettings:
    """The queue's Redis, in arq's form."""
    return RedisSettings.from_dsn(settings.redis_url)


async def open_queue(settings: Settings) -> ArqRedis:
    """Connect to the queue; a job on it outlives an outage of weeks."""
    return await create_pool(
        redis_settings(settings),
        job_serializer=dump,
        default_queue_name=QUEUE,
        expires_extra_ms=int(_JOBS_KEPT.total_seconds() * 1000),
    )


def dump(value: Any) -> bytes:
    """Write a job or its result as JSON; what has no JSON form (an exception) as its text."""
    return orjson.dumps(value, default=str)


def create_worker(platform: Platform, queue: ArqRedis, registry: Registry) -> Worker:
    """An arq worker for all handlers.

    arq marks a job as in progress for the longest time that a job may take, so that one whose worker was
    killed would wait as long. Here the mark is short and `keep_marks` renews it.
    """
    worker = Worker(
        functions=[
            func(_runner(platform, name, handler), name=name) for name, handler in registry.handlers.items()
        ],
        queue_name=QUEUE,
        redis_pool=queue,
        handle_signals=False,
        max_jobs=8,
        # Somebody has paid for what a job does: it is tried until it is done.
        max_tries=sys.maxsize,
        job_timeout=_JOB_TIMEOUT_SECONDS,
        poll_delay=0.1,
        log_results=False,
        job_serializer=dump,
        job_deserializer=orjson.loads,
    )
    worker.in_progress_timeout_s = _IN_PROGRESS_SECONDS
    return worker


async def keep_marks(worker: Worker) -> None:
    """Renew the in-progress marks of this worker's jobs until cancelled."""
    while True:
        for job_id in list(worker.tasks):
            await worker.pool.expire(in_progress_key_prefix + job_id, _IN_PROGRESS_SECONDS)
        await asyncio.sleep(_HEARTBEAT_SECONDS)


async def stop(worker: Worker, running: asyncio.Task[None]) -> None:
    """End a worker and the task that runs it; jobs under way go back to the queue.

    arq's own `close` waits for the jobs that it cancels as if none could end by being cancelled, and would
    cancel its caller when one does. So they have ended before it is called.
    """
    for task in (running, *worker.tasks.values()):
        task.cancel()
    await asyncio.gather(running, *worker.tasks.values(), return_exceptions=True)
    worker.tasks.clear()
    await worker.close()


def _runner(platform: Platform, name: str, handler: Handler) -> WorkerCoroutine:
    """Wrap a handler: join the trace, count, log, and turn a failure into a later try."""

    async def run(ctx: dict[str, Any], *, payload: dict[str, Any], message_id: str, traceparent: str) -> None:
        start_trace(traceparent)
        started = time.perf_counter()
        try:
            await handler(platform, payload, message_id)
        except DomainError as error:
            # A stated refusal does not change by asking again.
            JOBS.labels(name, "refused").inc()
            logger().warning("Job refused", job=name, message_id=message_id, reason=error)
        except Exception as error:
            JOBS.labels(name, "error").inc()
            logger().exception("Job failed", job=name, message_id=message_id, attempt=ctx["job_try"])
            raise Retry(defer=min(_MAX_BACKOFF_SECONDS, 2 ** min(ctx["job_try"], 10))) from error
        else:
            JOBS.labels(name, "ok").inc()
            logger().info("Job done", job=name, message_id=message_id)
        finally:
            JOB_SECONDS.labels(name).observe(time.perf_counter() - started)

    return cast("WorkerCoroutine", run)
