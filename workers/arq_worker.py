"""The arq worker: runs the registered handlers, with retries and fast takeover from a dead worker."""

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
from subgraphs.common.telemetry import JOB_SECONDS, JOBS, get_logger, start_trace
from workers.platform import Platform
from workers.registry import Handler, Registry

if TYPE_CHECKING:
    from arq.typing import WorkerCoroutine

QUEUE: Final = "memorable:jobs"
_MAX_RETRY_DELAY_SECONDS = 60
_JOB_EXPIRY: Final = timedelta(days=30)
_JOB_TIMEOUT_SECONDS = 30 * 60
_IN_PROGRESS_TTL_SECONDS = 10
_HEARTBEAT_SECONDS = 3


def build_redis_settings(settings: Settings) -> RedisSettings:
    """Build arq's settings of the queue's Redis connection."""
    return RedisSettings.from_dsn(settings.redis_url)


async def open_queue(settings: Settings) -> ArqRedis:
    """Connect to the queue; queued jobs expire after 30 days, so that they outlive a long outage."""
    return await create_pool(
        build_redis_settings(settings),
        job_serializer=serialize,
        default_queue_name=QUEUE,
        expires_extra_ms=int(_JOB_EXPIRY.total_seconds() * 1000),
    )


def serialize(value: Any) -> bytes:
    """Serialize a job or its result as JSON; values without a JSON form, such as exceptions, as strings."""
    return orjson.dumps(value, default=str)


def create_worker(platform: Platform, queue: ArqRedis, registry: Registry) -> Worker:
    """Create an arq worker for all handlers.

    arq marks a job as in progress for the whole job timeout, so a job whose worker was killed would wait that
    long. Here the mark is short-lived and `renew_in_progress_marks` renews it.
    """
    worker = Worker(
        functions=[
            func(_wrap(platform, name, handler), name=name) for name, handler in registry.handlers.items()
        ],
        queue_name=QUEUE,
        redis_pool=queue,
        handle_signals=False,
        max_jobs=8,
        # Customers have paid for this work, so a job is retried until it succeeds.
        max_tries=sys.maxsize,
        job_timeout=_JOB_TIMEOUT_SECONDS,
        poll_delay=0.1,
        log_results=False,
        job_serializer=serialize,
        job_deserializer=orjson.loads,
    )
    worker.in_progress_timeout_s = _IN_PROGRESS_TTL_SECONDS
    return worker


async def renew_in_progress_marks(worker: Worker) -> None:
    """Renew the in-progress marks of this worker's running jobs until cancelled."""
    while True:
        for job_id in list(worker.tasks):
            await worker.pool.expire(in_progress_key_prefix + job_id, _IN_PROGRESS_TTL_SECONDS)
        await asyncio.sleep(_HEARTBEAT_SECONDS)


async def stop(worker: Worker, running: asyncio.Task[None]) -> None:
    """Stop a worker and the task that runs it; running jobs return to the queue.

    `Worker.close` gathers the jobs it cancels without `return_exceptions`, so a cancelled job would cancel
    the caller too. The jobs are therefore cancelled and awaited before it is called.
    """
    for task in (running, *worker.tasks.values()):
        task.cancel()
    await asyncio.gather(running, *worker.tasks.values(), return_exceptions=True)
    worker.tasks.clear()
    await worker.close()


def _wrap(platform: Platform, name: str, handler: Handler) -> WorkerCoroutine:
    """Wrap a handler: continue the trace, record metrics, log, and turn a failure into a retry."""

    async def run(ctx: dict[str, Any], *, payload: dict[str, Any], message_id: str, traceparent: str) -> None:
        start_trace(traceparent)
        started = time.perf_counter()
        try:
            await handler(platform, payload, message_id)
        except DomainError as error:
            # The domain has refused the job, and would refuse a retry too.
            JOBS.labels(name, "refused").inc()
            get_logger().warning("Job refused", job=name, message_id=message_id, reason=error)
        except Exception as error:
            JOBS.labels(name, "error").inc()
            get_logger().exception("Job failed", job=name, message_id=message_id, attempt=ctx["job_try"])
            raise Retry(defer=min(_MAX_RETRY_DELAY_SECONDS, 2 ** min(ctx["job_try"], 10))) from error
        else:
            JOBS.labels(name, "ok").inc()
            get_logger().info("Job done", job=name, message_id=message_id)
        finally:
            JOB_SECONDS.labels(name).observe(time.perf_counter() - started)

    return cast("WorkerCoroutine", run)
