"""The outbox relay: committed messages become deliveries once, and what is due is on the queue."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
import pytest
from arq.connections import ArqRedis
from arq.constants import job_key_prefix
from redis.exceptions import RedisError
from sqlalchemy import func, select, text, update

from subgraphs.common.ids import new_id
from subgraphs.common.messages import Job
from subgraphs.domains import DOMAINS
from subgraphs.print.events import PrintJobStatusChanged
from subgraphs.print.jobs import PreflightPrintJob
from tests.workers.harness import read_deliveries, wait_until
from workers import relay as relay_module
from workers.platform import Platform
from workers.queues import build_key
from workers.registry import Registry, ScheduledJob
from workers.relay import Relay

TERMINATE_LISTENERS = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE usename = current_user AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%'"""
COUNT_LISTENERS = """SELECT count(*) FROM pg_stat_activity
    WHERE usename = current_user AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%'"""
CONSUMERS = ["books.admire_print_job", "orders.follow_print_job"]
DEFAULT_QUEUE = build_key("default")


@dataclass(frozen=True, slots=True)
class SweepFloor(Job):
    """A scheduled job of these tests."""


@pytest.fixture
def registry() -> Registry:
    registry = Registry()
    registry.consumers["print.PrintJobStatusChanged"] = CONSUMERS
    return registry


@pytest.fixture
def relay(platform: Platform, queue: ArqRedis, registry: Registry) -> Relay:
    return Relay(platform, queue, registry)


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


async def list_queued_jobs(queue: ArqRedis, key: str = DEFAULT_QUEUE) -> list[dict[str, Any]]:
    """The arguments of the jobs on a queue."""
    jobs = []
    for job_id in await queue.zrange(key, 0, -1):
        raw = await queue.get(job_key_prefix + job_id.decode())
        assert raw is not None
        jobs.append(orjson.loads(raw)["k"])
    return jobs


async def count_outbox_rows(platform: Platform) -> int:
    async with platform.print.database.read() as session:
        found = await session.scalar(select(func.count()).select_from(DOMAINS["print"].get_table("outbox")))
        return found or 0


async def test_an_event_is_queued_for_each_consumer(
    platform: Platform, queue: ArqRedis, relay: Relay
) -> None:
    [print_job_id] = await publish(platform)
    await relay.relay_once()
    found = await read_deliveries(platform)
    assert sorted(each.destination for each in found) == CONSUMERS
    for each in found:
        assert each.payload == {
            "print_job_id": print_job_id,
            "order_id": "ord_1",
            "status": "SHIPPED",
            "message": "",
        }
        assert each.id == f"{each.message_id}:{each.destination}"
        assert each.traceparent.startswith("00-")
    assert len({each.message_id for each in found}) == 1
    queued = sorted(await list_queued_jobs(queue), key=lambda job: str(job["delivery_id"]))
    assert queued == [
        {"domain": "print", "delivery_id": each.id, "attempts": 0}
        for each in sorted(found, key=lambda each: each.id)
    ]
    assert await count_outbox_rows(platform) == 0


async def test_an_event_that_a_relay_does_not_know_waits_for_a_newer_one(
    platform: Platform, queue: ArqRedis, relay: Relay
) -> None:
    older = Relay(platform, queue, Registry())
    await publish(platform)
    async with platform.print.unit_of_work() as uow:
        await uow.enqueue(PreflightPrintJob("prj_1"), owner_id=None)
    assert await older.relay_once() > timedelta()
    assert [each.destination for each in await read_deliveries(platform)] == ["print.PreflightPrintJob"]
    assert await count_outbox_rows(platform) == 1
    await relay.relay_once()
    found = {each.destination for each in await read_deliveries(platform)}
    assert found == {"print.PreflightPrintJob", *CONSUMERS}
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
    await relay.relay_once()
    assert await list_queued_jobs(queue) == []


async def test_a_delayed_job_is_queued_when_it_is_due(
    platform: Platform, queue: ArqRedis, relay: Relay
) -> None:
    async with platform.print.unit_of_work() as uow:
        await uow.enqueue(PreflightPrintJob("prj_1"), owner_id=None, delay=timedelta(seconds=2))
        ready_at = uow.now + timedelta(seconds=2)
    await relay.relay_once()
    [delayed] = await read_deliveries(platform)
    assert delayed.due_at == ready_at
    assert await list_queued_jobs(queue) == []
    async with run_relay(relay):
        await wait_until(lambda: has_jobs(queue, 1))
    async with platform.print.database.read() as session:
        now = await session.scalar(select(func.now()))
    assert now is not None
    assert now >= ready_at


async def test_a_relay_sleeps_until_the_next_delivery_is_due(platform: Platform, relay: Relay) -> None:
    assert await relay.relay_once() == timedelta(seconds=1)
    async with platform.print.unit_of_work() as uow:
        await uow.enqueue(PreflightPrintJob("prj_1"), owner_id=None, delay=timedelta(seconds=0.9))
    await relay.relay_once()
    assert timedelta() < await relay.relay_once() < timedelta(seconds=0.9)


async def test_what_is_not_on_the_queue_is_queued_again_when_its_time_has_passed(
    platform: Platform, queue: ArqRedis, relay: Relay
) -> None:
    await publish(platform)
    await relay.relay_once()
    turns = [each.turn for each in await read_deliveries(platform)]
    await queue.flushdb()
    await relay.relay_once()
    assert await list_queued_jobs(queue) == []
    async with platform.print.unit_of_work() as uow:
        await uow.session.execute(update(DOMAINS["print"].get_table("deliveries")).values(due_at=func.now()))
    await relay.relay_once()
    assert len(await list_queued_jobs(queue)) == 2
    assert [each.turn for each in await read_deliveries(platform)] == turns


async def test_what_a_worker_was_taking_off_the_queue_when_it_died_is_queued_again(
    platform: Platform, queue: ArqRedis, relay: Relay
) -> None:
    await publish(platform)
    await relay.relay_once()
    queued = await queue.zrange(DEFAULT_QUEUE, 0, -1, withscores=True)
    [(taken, _), _] = queued
    await queue.zrem(DEFAULT_QUEUE, taken)
    async with platform.print.unit_of_work() as uow:
        await uow.session.execute(update(DOMAINS["print"].get_table("deliveries")).values(due_at=func.now()))
    await relay.relay_once()
    assert await queue.zrange(DEFAULT_QUEUE, 0, -1, withscores=True) == queued


async def test_what_waits_on_the_queue_is_not_queued_twice(
    platform: Platform, queue: ArqRedis, relay: Relay
) -> None:
    await publish(platform)
    for _ in range(3):
        await relay.relay_once()
        async with platform.print.unit_of_work() as uow:
            table = DOMAINS["print"].get_table("deliveries")
            await uow.session.execute(update(table).values(due_at=func.now()))
    assert len(await list_queued_jobs(queue)) == 2


async def test_several_relays_share_the_work(
    platform: Platform, queue: ArqRedis, relay: Relay, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "_BATCH_SIZE", 5)
    ids = await publish(platform, 40)
    relays = [relay, *(Relay(platform, queue, registry) for _ in range(3))]
    while not min(await asyncio.gather(*(one.relay_once() for one in relays))):
        pass
    found = await read_deliveries(platform)
    assert len(found) == len(await list_queued_jobs(queue)) == 80
    assert {each.payload["print_job_id"] for each in found} == set(ids)


async def test_a_scheduled_job_is_enqueued_once_in_each_period_by_all_relays(
    platform: Platform, queue: ArqRedis, registry: Registry
) -> None:
    for domain in ("print", "books"):
        registry.schedule.append(ScheduledJob(domain, SweepFloor(), timedelta(days=10_000)))
    for _ in range(2):
        relays = [Relay(platform, queue, registry) for _ in range(3)]
        await asyncio.gather(*(relay.relay_once() for relay in relays))
    for domain in ("print", "books"):
        [delivery] = await read_deliveries(platform, domain)
        assert delivery.id == f"schedule:{domain}:workers.SweepFloor:2"
    assert {job["domain"] for job in await list_queued_jobs(queue)} == {"print", "books"}
    registry.schedule.append(ScheduledJob("print", SweepFloor(), timedelta(seconds=1)))
    await Relay(platform, queue, registry).relay_once()
    assert len(await read_deliveries(platform)) == 2


async def test_a_commit_wakes_a_running_relay(
    platform: Platform, queue: ArqRedis, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "_POLL_INTERVAL", timedelta(hours=1))
    async with run_relay(relay):
        await wait_until(lambda: is_listening(platform))
        await publish(platform)
        await wait_until(lambda: has_jobs(queue, 2))


async def test_a_relay_listens_again_after_losing_its_connection(
    platform: Platform, queue: ArqRedis, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "_POLL_INTERVAL", timedelta(hours=1))
    monkeypatch.setattr(relay_module, "_RETRY_SECONDS", 0.05)
    async with run_relay(relay):
        await wait_until(lambda: is_listening(platform))
        async with platform.books.database.read() as session:
            await session.execute(text(TERMINATE_LISTENERS))
        await wait_until(lambda: is_listening(platform))
        await publish(platform)
        await wait_until(lambda: has_jobs(queue, 2))


async def test_deliveries_stay_due_while_the_queue_is_unavailable(
    platform: Platform, registry: Registry, queue: ArqRedis
) -> None:
    closed = ArqRedis.from_url("redis://127.0.0.1:1")
    broken = Relay(platform, closed, registry)
    await publish(platform)
    with pytest.raises((RedisError, OSError)):
        await broken.relay_once()
    assert await count_outbox_rows(platform) == 0
    assert [each.turn for each in await read_deliveries(platform)] == [None, None]
    await Relay(platform, queue, registry).relay_once()
    assert len(await list_queued_jobs(queue)) == 2


async def is_listening(platform: Platform) -> bool:
    async with platform.books.database.read() as session:
        return bool(await session.scalar(text(COUNT_LISTENERS)))


async def has_jobs(queue: ArqRedis, count: int) -> bool:
    return int(await queue.zcard(DEFAULT_QUEUE)) == count
