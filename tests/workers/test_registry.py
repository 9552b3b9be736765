"""The registry of tasks and consumers."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import cast
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from subgraphs.common.clock import utc_now
from subgraphs.common.deliveries import Delivery, DeliveryState
from subgraphs.common.messages import Event, Job
from subgraphs.common.unit_of_work import UnitOfWork
from subgraphs.domains import DOMAINS
from workers import registry
from workers.platform import Platform
from workers.registry import Registry, on, schedule, task


@dataclass(frozen=True, slots=True)
class PaintFence(Job):
    fence_id: str


@dataclass(frozen=True, slots=True)
class FencePainted(Event):
    fence_id: str
    colour: str


@pytest.fixture(autouse=True)
def empty(monkeypatch: pytest.MonkeyPatch) -> Registry:
    fresh = Registry()
    monkeypatch.setattr(registry, "REGISTRY", fresh)
    return fresh


@pytest.fixture
def painted() -> Delivery:
    """An event on its way to a consumer."""
    return Delivery(
        id="msg_1:books.admire_fence",
        message_id=uuid4().hex,
        destination="books.admire_fence",
        queue="default",
        version=1,
        payload={"fence_id": "fnc_1", "colour": "white"},
        owner_id=None,
        traceparent="",
        state=DeliveryState.DUE,
        attempts=1,
        turn=None,
        due_at=utc_now(),
        error=None,
    )


async def test_a_job_reaches_its_task_with_its_fields(empty: Registry, painted: Delivery) -> None:
    done: list[PaintFence] = []

    @task(PaintFence, queue="print")
    async def paint_fence(platform: Platform, job: PaintFence) -> None:
        done.append(job)

    [destination] = empty.find_destinations("job", "workers.PaintFence")
    assert (destination, empty.get_queue(destination)) == ("workers.PaintFence", "print")
    nowhere = cast("Platform", None)
    await empty.handlers[destination].handle(nowhere, replace(painted, payload={"fence_id": "fnc_1"}))
    assert done == [PaintFence("fnc_1")]


async def test_an_event_takes_effect_once_for_each_consumer_in_a_unit_of_work_of_its_domain(
    empty: Registry, platform: Platform, painted: Delivery
) -> None:
    seen: list[tuple[str, FencePainted]] = []

    @on(FencePainted, domain="books")
    async def admire_fence(_: Platform, uow: UnitOfWork, event: FencePainted) -> None:
        seen.append((str(await uow.session.scalar(select(func.current_user()))), event))

    @on(FencePainted, domain="orders", queue="payments")
    async def bill_fence(_: Platform, uow: UnitOfWork, event: FencePainted) -> None:
        seen.append((str(await uow.session.scalar(select(func.current_user()))), event))

    destinations = empty.find_destinations("event", "workers.FencePainted")
    assert destinations == ["books.admire_fence", "orders.bill_fence"]
    assert [empty.get_queue(each) for each in destinations] == ["default", "payments"]
    for destination in destinations * 2:
        await empty.handlers[destination].handle(platform, painted)
    event = FencePainted("fnc_1", "white")
    assert seen == [("memorable_books", event), ("memorable_orders", event)]


async def test_an_event_whose_consumer_fails_is_not_received(
    empty: Registry, platform: Platform, painted: Delivery
) -> None:
    calls = 0

    @on(FencePainted, domain="books")
    async def admire_fence(_: Platform, __: UnitOfWork, ___: FencePainted) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ZeroDivisionError

    handler = empty.handlers["books.admire_fence"]
    with pytest.raises(ZeroDivisionError):
        await handler.handle(platform, painted)
    for _ in range(2):
        await handler.handle(platform, painted)
    assert calls == 2


def test_a_destination_is_registered_once(empty: Registry) -> None:
    async def paint(platform: Platform, job: PaintFence) -> None:
        del platform, job

    task(PaintFence, queue="print")(paint)
    with pytest.raises(ValueError, match="already registered"):
        task(PaintFence, queue="print")(paint)


def test_a_handler_is_on_a_queue_that_exists(empty: Registry) -> None:
    async def paint(platform: Platform, job: PaintFence) -> None:
        del platform, job

    with pytest.raises(ValueError, match="no queue fences"):
        task(PaintFence, queue="fences")(paint)


def test_an_event_without_consumers_is_not_known(empty: Registry) -> None:
    @on(FencePainted, domain="books")
    async def admire_fence(_: Platform, __: UnitOfWork, ___: FencePainted) -> None:
        pass

    assert empty.known_events == ["workers.FencePainted"]


def test_a_job_may_be_scheduled_in_several_domains(empty: Registry) -> None:
    for domain in DOMAINS:
        schedule(PaintFence(domain), domain=domain, every=timedelta(hours=1))
    assert [scheduled.job for scheduled in empty.schedule] == [PaintFence(domain) for domain in DOMAINS]
