"""The outbox relay: what commits becomes jobs, what does not commit never does, and nothing twice."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import orjson
import pytest
from arq.connections import ArqRedis
from arq.constants import job_key_prefix
from redis.exceptions import ConnectionError as RedisGone
from sqlalchemy import select, text

from subgraphs.common.ids import new_id
from subgraphs.print.events import PrintJobStatusChanged
from subgraphs.print.jobs import PreflightPrintJob
from workers import relay as relay_module
from workers.platform import Platform
from workers.registry import Registry
from workers.relay import Relay
from workers.settings import QUEUE

CUT = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE usename = current_user AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%'"""
COUNT = """SELECT count(*) FROM pg_stat_activity
    WHERE usename = current_user AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%'"""
CONSUMERS = ["orders.follow_print_job", "books.admire_print_job"]


@pytest.fixture
def registry() -> Registry:
    return Registry({}, defaultdict(list, {"print.PrintJobStatusChanged": list(CONSUMERS)}))


@pytest.fixture
async def relay(platform: Platform, queue: ArqRedis, registry: Registry) -> Relay:
    fresh = Relay(platform, queue, registry)
    while await fresh.relay_once():  # what other tests have left in the outboxes
        pass
    await queue.flushdb()
    return fresh


@asynccontextmanager
async def running(relay: Relay) -> AsyncIterator[None]:
    task = asyncio.create_task(relay.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def publish(platform: Platform, count: int = 1) -> list[str]:
    """Commit events; their print jobs' ids."""
    ids = [new_id("prj") for _ in range(count)]
    async with platform.print.unit_of_work() as uow:
        for print_job_id in ids:
            await uow.publish(PrintJobStatusChanged(print_job_id, "ord_1", "SHIPPED", ""))
    return ids


async def queued(queue: ArqRedis) -> list[tuple[str, dict[str, Any]]]:
    """The jobs on the queue: to whom, and what."""
    jobs = []
    for job_id in await queue.zrange(QUEUE, 0, -1):
        raw = await queue.get(job_key_prefix + job_id.decode())
        assert raw is not None
        job = orjson.loads(raw)
        jobs.append((job["f"], job["k"]))
    return jobs


async def in_outbox(platform: Platform) -> int:
    async with platform.print.database.read() as session:
        rows = await session.execute(select(platform.print.metadata.tables["print.outbox"]))
        return len(rows.all())


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110 - what is waited for is in another process
            await asyncio.sleep(0.02)


async def test_an_event_goes_to_each_of_its_consumers(
    platform: Platform, queue: ArqRedis, relay: Relay
) -> None:
    [print_job_id] = await publish(platform)
    assert await relay.relay_once() == 1
    jobs = await queued(queue)
    assert sorted(name for name, _ in jobs) == sorted(CONSUMERS)
    for _, message in jobs:
        assert message["payload"] == {
            "print_job_id": print_job_id,
            "order_id": "ord_1",
            "status": "SHIPPED",
            "message": "",
        }
        assert message["message_id"].startswith("msg_")
        assert message["traceparent"].startswith("00-")
    assert len({message["message_id"] for _, message in jobs}) == 1
    assert await in_outbox(platform) == 0


async def test_what_is_rolled_back_is_never_said(platform: Platform, queue: ArqRedis, relay: Relay) -> None:
    async def fail_after_publishing() -> None:
        async with platform.print.unit_of_work() as uow:
            await uow.publish(PrintJobStatusChanged("prj_1", "ord_1", "SHIPPED", ""))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_after_publishing()
    assert await relay.relay_once() == 0
    assert await queued(queue) == []


async def test_a_job_waits_for_its_time(platform: Platform, queue: ArqRedis, relay: Relay) -> None:
    async with platform.print.unit_of_work() as uow:
        await uow.enqueue(PreflightPrintJob("prj_1"), delay=timedelta(hours=1))
        due = uow.now + timedelta(hours=1)
    await relay.relay_once()
    [(_, score)] = await queue.zrange(QUEUE, 0, -1, withscores=True)
    assert abs(score - due.timestamp() * 1000) < 1


async def test_a_relay_that_dies_before_its_commit_leaves_no_second_job(
    platform: Platform, queue: ArqRedis, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish(platform)
    enqueue = queue.enqueue_job

    async def enqueue_and_die(*args: Any, **options: Any) -> None:
        await enqueue(*args, **options)
        raise RedisGone

    with monkeypatch.context() as broken:
        broken.setattr(queue, "enqueue_job", enqueue_and_die)
        with pytest.raises(RedisGone):
            await relay.relay_once()
    assert (len(await queued(queue)), await in_outbox(platform)) == (1, 1)

    assert await relay.relay_once() == 1
    assert sorted(name for name, _ in await queued(queue)) == sorted(CONSUMERS)


async def test_several_relays_share_the_work(
    platform: Platform, queue: ArqRedis, relay: Relay, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "_BATCH", 5)
    ids = await publish(platform, 40)
    relays = [relay, *(Relay(platform, queue, registry) for _ in range(3))]
    passed_on = 0
    while round_of := sum(await asyncio.gather(*(one.relay_once() for one in relays))):
        passed_on += round_of
    jobs = await queued(queue)
    assert passed_on == 40
    assert len(jobs) == 80
    assert {message["payload"]["print_job_id"] for _, message in jobs} == set(ids)


async def test_a_running_relay_is_woken_by_a_commit(
    platform: Platform, queue: ArqRedis, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "_POLL_SECONDS", 3600)
    async with running(relay):
        await until(lambda: listens(platform))
        await publish(platform)
        await until(lambda: has_jobs(queue, 2))


async def test_a_relay_listens_again_when_its_connection_was_cut(
    platform: Platform, queue: ArqRedis, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "_POLL_SECONDS", 3600)
    monkeypatch.setattr(relay_module, "_RETRY_SECONDS", 0.05)
    async with running(relay):
        await until(lambda: listens(platform))
        async with platform.books.database.read() as session:
            await session.execute(text(CUT))
        await until(lambda: listens(platform))
        await publish(platform)
        await until(lambda: has_jobs(queue, 2))


async def test_a_relay_waits_for_a_queue_that_is_away(
    platform: Platform, queue: ArqRedis, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "_RETRY_SECONDS", 0.05)
    failures = 0

    async def refuse(*_: Any, **__: Any) -> None:
        nonlocal failures
        failures += 1
        raise RedisGone

    async def has_failed() -> bool:
        return failures >= 2

    enqueue = queue.enqueue_job
    await publish(platform)
    monkeypatch.setattr(queue, "enqueue_job", refuse)
    async with running(relay):
        await until(has_failed)
        monkeypatch.setattr(queue, "enqueue_job", enqueue)
        await until(lambda: has_jobs(queue, 2))
    assert await in_outbox(platform) == 0


async def listens(platform: Platform) -> bool:
    async with platform.books.database.read() as session:
        return bool(await session.scalar(text(COUNT)))


async def has_jobs(queue: ArqRedis, count: int) -> bool:
    return int(await queue.zcard(QUEUE)) == count
