"""A job under way is done by one worker; when that worker dies, soon by another."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from arq.connections import ArqRedis
from arq.constants import in_progress_key_prefix, job_key_prefix

from subgraphs.common.errors import Conflict
from subgraphs.common.telemetry import trace_id
from tests.workers.queues import JOB, working
from workers import settings as worker_settings
from workers.platform import Platform
from workers.settings import QUEUE

# What arq calls when it closes.
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated close:DeprecationWarning")
TRACE = "0af7651916cd43dd8448eb211c80319c"


class Recorder:
    """A handler that notes its calls, and holds each until it is let go."""

    def __init__(self) -> None:
        self.calls: list[tuple[dict[str, Any], str]] = []
        self.traces: list[str] = []
        self.failures: list[Exception] = []
        self.called = asyncio.Event()
        self.let_go = asyncio.Event()

    async def __call__(self, platform: Platform, payload: dict[str, Any], message_id: str) -> None:
        self.calls.append((payload, message_id))
        self.traces.append(trace_id())
        self.called.set()
        if self.failures:
            raise self.failures.pop(0)
        await self.let_go.wait()


@pytest.fixture
def handler() -> Recorder:
    return Recorder()


@pytest.fixture(autouse=True)
def beating_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_settings, "_IN_PROGRESS_SECONDS", 1)
    monkeypatch.setattr(worker_settings, "_HEARTBEAT_SECONDS", 0.2)


async def enqueue(queue: ArqRedis, job_id: str = "job_1") -> None:
    await queue.enqueue_job(
        JOB,
        payload={"n": 1},
        message_id="msg_1",
        traceparent=f"00-{TRACE}-b7ad6b7169203331-01",
        _job_id=job_id,
    )


async def empty(queue: ArqRedis) -> None:
    """Wait until nothing is queued or under way."""
    async with asyncio.timeout(60):
        while await queue.zcard(QUEUE):  # noqa: ASYNC110 - the queue is in another process
            await asyncio.sleep(0.05)


@asynccontextmanager
async def worker_process(environ: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.workers.queues",
        env={**os.environ, **environ},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_job_arrives_with_its_payload_and_its_trace(
    environ: dict[str, str], queue: ArqRedis, handler: Recorder
) -> None:
    handler.let_go.set()
    async with working(environ, handler):
        await enqueue(queue)
        await empty(queue)
    assert handler.calls == [({"n": 1}, "msg_1")]
    assert handler.traces == [TRACE]


async def test_a_long_job_is_not_taken_by_another_worker(
    environ: dict[str, str], queue: ArqRedis, handler: Recorder
) -> None:
    async with working(environ, handler), working(environ, handler):
        await enqueue(queue)
        await handler.called.wait()
        for _ in range(12):  # over two and a half times as long as a mark that nobody renews
            await asyncio.sleep(0.2)
            assert await queue.exists(f"{in_progress_key_prefix}job_1")
        assert len(handler.calls) == 1
        handler.let_go.set()
        await empty(queue)
    assert len(handler.calls) == 1


async def test_the_job_of_a_killed_worker_is_done_by_another(
    environ: dict[str, str], queue: ArqRedis, handler: Recorder
) -> None:
    handler.let_go.set()
    async with worker_process(environ) as process:
        await enqueue(queue)
        assert process.stdout is not None
        async with asyncio.timeout(60):
            while await process.stdout.readline() != b"holding\n":
                pass
        async with working(environ, handler):
            process.kill()
            assert await process.wait() == -9
            await empty(queue)
    assert handler.calls == [({"n": 1}, "msg_1")]


async def test_a_job_that_fails_is_tried_again(
    environ: dict[str, str], queue: ArqRedis, handler: Recorder
) -> None:
    handler.let_go.set()
    handler.failures = [RuntimeError("the first time")]
    async with working(environ, handler):
        await enqueue(queue)
        await empty(queue)
    assert len(handler.calls) == 2


async def test_a_job_is_tried_until_it_is_done(
    environ: dict[str, str], queue: ArqRedis, handler: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outage may last longer than any number of tries; what was paid for is done after it."""
    monkeypatch.setattr(worker_settings, "_MAX_BACKOFF_SECONDS", 0.01)
    handler.let_go.set()
    handler.failures = [ConnectionError("still away") for _ in range(25)]
    async with working(environ, handler):
        await enqueue(queue)
        await empty(queue)
    assert len(handler.calls) == 26


async def test_a_waiting_job_is_kept_for_weeks(queue: ArqRedis) -> None:
    await enqueue(queue)
    assert await queue.ttl(f"{job_key_prefix}job_1") > 29 * 24 * 3600


async def test_a_job_that_is_refused_is_not_tried_again(
    environ: dict[str, str], queue: ArqRedis, handler: Recorder
) -> None:
    handler.let_go.set()
    handler.failures = [Conflict("It is too late for that.")]
    async with working(environ, handler):
        await enqueue(queue)
        await empty(queue)
    assert len(handler.calls) == 1


async def test_a_worker_that_stops_gives_its_job_back(
    environ: dict[str, str], queue: ArqRedis, handler: Recorder
) -> None:
    async with working(environ, handler):
        await enqueue(queue)
        await handler.called.wait()
    handler.let_go.set()
    async with working(environ, handler):
        await empty(queue)
    assert len(handler.calls) == 2
