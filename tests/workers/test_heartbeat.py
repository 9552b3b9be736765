"""A running job belongs to one worker; when that worker dies, another soon takes it over."""

import asyncio
from typing import Any

import pytest
from arq.connections import ArqRedis
from arq.constants import in_progress_key_prefix, job_key_prefix

from subgraphs.common.errors import Conflict
from subgraphs.common.telemetry import get_trace_id
from tests.workers.harness import JOB, run_worker, run_worker_process
from workers import arq_worker
from workers.arq_worker import QUEUE
from workers.platform import Platform

# arq calls the deprecated name when it closes its pool.
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated close:DeprecationWarning")
TRACE = "0af7651916cd43dd8448eb211c80319c"


class Recorder:
    """A handler that records its calls and blocks each of them until it is released."""

    def __init__(self) -> None:
        self.calls: list[tuple[dict[str, Any], str]] = []
        self.traces: list[str] = []
        self.failures: list[Exception] = []
        self.called = asyncio.Event()
        self.released = asyncio.Event()

    async def __call__(self, platform: Platform, payload: dict[str, Any], message_id: str) -> None:
        self.calls.append((payload, message_id))
        self.traces.append(get_trace_id())
        self.called.set()
        if self.failures:
            raise self.failures.pop(0)
        await self.released.wait()


@pytest.fixture
def handler() -> Recorder:
    return Recorder()


@pytest.fixture(autouse=True)
def short_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arq_worker, "_IN_PROGRESS_TTL_SECONDS", 1)
    monkeypatch.setattr(arq_worker, "_HEARTBEAT_SECONDS", 0.2)


async def enqueue(queue: ArqRedis, job_id: str = "job_1") -> None:
    await queue.enqueue_job(
        JOB,
        payload={"n": 1},
        message_id="msg_1",
        traceparent=f"00-{TRACE}-b7ad6b7169203331-01",
        _job_id=job_id,
    )


async def wait_until_empty(queue: ArqRedis) -> None:
    """Wait until no job is queued or running."""
    async with asyncio.timeout(60):
        while await queue.zcard(QUEUE):  # noqa: ASYNC110 - the queue is in another process
            await asyncio.sleep(0.05)


async def test_a_job_carries_its_payload_and_trace(
    environ: dict[str, str], queue: ArqRedis, handler: Recorder
) -> None:
    handler.released.set()
    async with run_worker(environ, handler):
        await enqueue(queue)
        await wait_until_empty(queue)
    assert handler.calls == [({"n": 1}, "msg_1")]
    assert handler.traces == [TRACE]


async def test_a_long_job_is_not_taken_by_another_worker(
    environ: dict[str, str], queue: ArqRedis, handler: Recorder
) -> None:
    async with run_worker(environ, handler), run_worker(environ, handler):
        await enqueue(queue)
        await handler.called.wait()
        for _ in range(12):  # 2.4 s, more than twice the lifetime of a mark that is not renewed
            await asyncio.sleep(0.2)
            assert await queue.exists(f"{in_progress_key_prefix}job_1")
        assert len(handler.calls) == 1
        handler.released.set()
        await wait_until_empty(queue)
    assert len(handler.calls) == 1


async def test_the_job_of_a_killed_worker_is_taken_over(
    environ: dict[str, str], queue: ArqRedis, handler: Recorder
) -> None:
    handler.released.set()
    holding = run_worker_process(environ, "tests.workers.harness", asyncio.subprocess.PIPE)
    async with holding as process:
        await enqueue(queue)
        assert process.stdout is not None
        async with asyncio.timeout(60):
            while await process.stdout.readline() != b"holding\n":
                pass
        async with run_worker(environ, handler):
            process.kill()
            assert await process.wait() == -9
            await wait_until_empty(queue)
    assert handler.calls == [({"n": 1}, "msg_1")]


async def test_a_failed_job_is_retried(environ: dict[str, str], queue: ArqRedis, handler: Recorder) -> None:
    handler.released.set()
    handler.failures = [RuntimeError("first attempt")]
    async with run_worker(environ, handler):
        await enqueue(queue)
        await wait_until_empty(queue)
    assert len(handler.calls) == 2


async def test_a_job_is_retried_until_it_succeeds(
    environ: dict[str, str], queue: ArqRedis, handler: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outage may outlast any fixed number of retries."""
    monkeypatch.setattr(arq_worker, "_MAX_RETRY_DELAY_SECONDS", 0.01)
    handler.released.set()
    handler.failures = [ConnectionError("unreachable") for _ in range(25)]
    async with run_worker(environ, handler):
        await enqueue(queue)
        await wait_until_empty(queue)
    assert len(handler.calls) == 26


async def test_a_queued_job_is_kept_for_weeks(queue: ArqRedis) -> None:
    await enqueue(queue)
    assert await queue.ttl(f"{job_key_prefix}job_1") > 29 * 24 * 3600


async def test_a_refused_job_is_not_retried(
    environ: dict[str, str], queue: ArqRedis, handler: Recorder
) -> None:
    handler.released.set()
    handler.failures = [Conflict("The order has been shipped.")]
    async with run_worker(environ, handler):
        await enqueue(queue)
        await wait_until_empty(queue)
    assert len(handler.calls) == 1


async def test_a_worker_that_stops_returns_its_job_to_the_queue(
    environ: dict[str, str], queue: ArqRedis, handler: Recorder
) -> None:
    async with run_worker(environ, handler):
        await enqueue(queue)
        await handler.called.wait()
    handler.released.set()
    async with run_worker(environ, handler):
        await wait_until_empty(queue)
    assert len(handler.calls) == 2
