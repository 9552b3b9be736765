"""The registry of tasks and consumers."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, cast

import pytest

from subgraphs.common.messages import Event, Job
from workers import registry
from workers.platform import Platform
from workers.registry import Registry, on, task


@dataclass(frozen=True, slots=True)
class PaintFence(Job):
    fence_id: str


@dataclass(frozen=True, slots=True)
class FencePainted(Event):
    fence_id: str
    colour: str


@pytest.fixture(autouse=True)
def empty(monkeypatch: pytest.MonkeyPatch) -> Registry:
    fresh = Registry({}, defaultdict(list))
    monkeypatch.setattr(registry, "REGISTRY", fresh)
    return fresh


async def test_a_job_reaches_its_task_with_its_fields(empty: Registry) -> None:
    done: list[PaintFence] = []

    @task(PaintFence)
    async def paint_fence(platform: Platform, job: PaintFence) -> None:
        done.append(job)

    assert empty.find_destinations("job", "workers.PaintFence") == ["workers.PaintFence"]
    await run(empty, "workers.PaintFence", {"fence_id": "fnc_1"})
    assert done == [PaintFence("fnc_1")]


async def test_an_event_reaches_every_consumer_with_the_message_id(empty: Registry) -> None:
    seen: list[tuple[str, FencePainted, str]] = []

    @on(FencePainted, consumer="books.admire_fence")
    async def admire_fence(platform: Platform, event: FencePainted, message_id: str) -> None:
        seen.append(("admire", event, message_id))

    @on(FencePainted, consumer="orders.bill_fence")
    async def bill_fence(platform: Platform, event: FencePainted, message_id: str) -> None:
        seen.append(("bill", event, message_id))

    destinations = empty.find_destinations("event", "workers.FencePainted")
    assert destinations == ["books.admire_fence", "orders.bill_fence"]
    for destination in destinations:
        await run(empty, destination, {"fence_id": "fnc_1", "colour": "white"})
    painted = FencePainted("fnc_1", "white")
    assert seen == [("admire", painted, "msg_1"), ("bill", painted, "msg_1")]


def test_a_name_is_registered_once(empty: Registry) -> None:
    async def paint(platform: Platform, job: PaintFence) -> None:
        del platform, job

    task(PaintFence)(paint)
    with pytest.raises(ValueError, match="already registered"):
        task(PaintFence)(paint)


def test_an_event_without_consumers_has_no_destination(empty: Registry) -> None:
    assert empty.find_destinations("event", "workers.FencePainted") == []


async def run(registry: Registry, name: str, payload: dict[str, Any]) -> None:
    no_platform = cast("Platform", None)
    await registry.handlers[name](no_platform, payload, "msg_1")
