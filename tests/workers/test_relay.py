"""The outbox relay: committed messages become jobs exactly once, uncommitted ones never."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
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
from tests.workers.harness import wait_until
from workers import relay as relay_module
from workers.arq_worker import QUEUE
from workers.platform import Platform
from workers.registry import Registry
from workers.relay import Relay

TERMINATE_LISTENERS = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE usename = current_user AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%'"""
COUNT_LISTENERS = """SELECT count(*) FROM pg_stat_activity
    WHERE usename = current_user AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%'"""
CONSUMERS = ["orders.follow_print_job", "books.admire_print_job"]


@pytest.fixture
def registry() -> Registry:
    return Registry({}, defaultdict(list, {"print.PrintJobStatusChanged": list(CONSUMERS)}))


@pytest.fixture
async def relay(platform: Platform, queue: ArqRedis, registry: Registry) -> Relay:
    fresh = Relay(platform, queue, registry)
    while await fresh.relay_once():  # drain what other tests left in the outboxes
        pass
    await queue.flushdb()
    return fresh


@asynccontextmanager
async def run_relay(relay: Relay) -> AsyncIterator[None]:
    task = asyncio.create_task(relay.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def publish(platform: Platform, count: int = 1) -> list[str]:
    """Commit events; return the ids of their print jobs."""
    ids = [new_id("prj") for _ in range(count)]
    async with platform.print.unit_of_work() as uow:
        for print_job_id in ids:
            await uow.publish(PrintJobStatusChanged(print_job_id, "ord_1", "SHIPPED", ""))
    return ids


async def list_queued_jobs(queue: ArqRedis) -> list[tuple[str, dict[str, Any]]]:
    """The jobs on the queue: handler name and arguments."""
    jobs = []
    for job_id in await queue.zrange(QUEUE, 0, -1):
        raw = await queue.get(job_key_prefix + job_id.decode())
        assert raw is not None
        job = orjson.loads(raw)
        jobs.append((job["f"], job["k"]))
    return jobs


async def count_outbox_rows(platform: Platform) -> int:
    async with platform.print.database.read() as session:
        rows = await session.execute(select(platform.print.metadata.tables["print.outbox"]))
        return len(rows.all())


async def test_an_event_is_queued_for_each_consumer(
    platform: Platform, queue: ArqRedis, relay: Relay
) -> None:
    [print_job_id] = await publish(platform)
    assert await relay.relay_once() == 1
    jobs = await list_queued_jobs(queue)
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
    assert await count_outbox_rows(platform) == 0


async def test_a_rolled_back_event_never_reaches_the_queue(
    platform: Platform, queue: ArqRedis, relay: Relay
) -> None:
    async def fail_after_publishing() -> None:
        async with platform.print.unit_of_work() as uow:
            await uow.publish(PrintJobStatusChanged("prj_1", "ord_1", "SHIPPED", ""))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_after_publishing()
    assert await relay.relay_once() == 0
    assert await list_queued_jobs(queue) == []


async def test_a_delayed_job_is_queued_for_its_due_time(
    platform: Platform, queue: ArqRedis, relay: Relay
) -> None:
    async with platform.print.unit_of_work() as uow:
        await uow.enqueue(PreflightPrintJob("prj_1"), delay=timedelta(hours=1))
        due = uow.now + timedelta(hours=1)
    await relay.relay_once()
    [(_, score)] = await queue.zrange(QUEUE, 0, -1, withscores=True)
    assert abs(score - due.timestamp() * 1000) < 1


async def test_a_relay_that_dies_before_its_commit_queues_no_duplicate(
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
    assert (len(await list_queued_jobs(queue)), await count_outbox_rows(platform)) == (1, 1)

    assert await relay.relay_once() == 1
    assert sorted(name for name, _ in await list_queued_jobs(queue)) == sorted(CONSUMERS)


async def test_several_relays_share_the_work(
    platform: Platform, queue: ArqRedis, relay: Relay, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "_BATCH_SIZE", 5)
    ids = await publish(platform, 40)
    relays = [relay, *(Relay(platform, queue, registry) for _ in range(3))]
    relayed = 0
    while count := sum(await asyncio.gather(*(one.relay_once() for one in relays))):
        relayed += count
    jobs = await list_queued_jobs(queue)
    assert relayed == 40
    assert len(jobs) == 80
    assert {message["payload"]["print_job_id"] for _, message in jobs} == set(ids)


async def test_a_commit_wakes_a_running_relay(
    platform: Platform, queue: ArqRedis, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "_POLL_SECONDS", 3600)
    async with run_relay(relay):
        await wait_until(lambda: is_listening(platform))
        await publish(platform)
        await wait_until(lambda: has_jobs(queue, 2))


async def test_a_relay_listens_again_after_losing_its_connection(
    platform: Platform, queue: ArqRedis, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "_POLL_SECONDS", 3600)
    monkeypatch.setattr(relay_module, "_RETRY_SECONDS", 0.05)
    async with run_relay(relay):
        await wait_until(lambda: is_listening(platform))
        async with platform.books.database.read() as session:
            await session.execute(text(TERMINATE_LISTENERS))
        await wait_until(lambda: is_listening(platform))
        await publish(platform)
        await wait_until(lambda: has_jobs(queue, 2))


async def test_a_relay_waits_for_an_unavailable_queue(
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
    async with run_relay(relay):
        await wait_until(has_failed)
        monkeypatch.setattr(queue, "enqueue_job", enqueue)
        await wait_until(lambda: has_jobs(queue, 2))
    assert await count_outbox_rows(platform) == 0


async def is_listening(platform: Platform) -> bool:
    async with platform.books.database.read() as session:
        return bool(await session.scalar(text(COUNT_LISTENERS)))


async def has_jobs(queue: ArqRedis, count: int) -> bool:
    return int(await queue.zcard(QUEUE)) == count
