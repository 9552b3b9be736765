"""Retention and the metrics of the queues."""

from datetime import timedelta
from typing import Any

from prometheus_client import REGISTRY as METRICS
from sqlalchemy import func, update

from subgraphs.common import deliveries
from subgraphs.common.deliveries import DeliveryState
from subgraphs.common.retention import PruneMessages
from subgraphs.domains import DOMAINS
from subgraphs.print.events import PrintJobStatusChanged
from tests.support.deliveries import build_delivery_row
from tests.workers.harness import read_deliveries
from workers.platform import Platform
from workers.retention import prune_messages
from workers.statistics import update_statistics

TABLE = DOMAINS["print"].get_table("deliveries")


async def add_deliveries(platform: Platform, count: int, **columns: Any) -> None:
    rows = [build_delivery_row("print.Nothing", "print") for _ in range(count)]
    ids = [row["id"] for row in rows]
    async with platform.print.unit_of_work() as uow:
        await deliveries.add(uow.session, TABLE, rows)
        await uow.session.execute(update(TABLE).where(TABLE.c.id.in_(ids)).values(columns))


async def test_handled_messages_are_deleted_after_the_configured_days(platform: Platform) -> None:
    days = platform.print.settings.message_retention_days
    assert days == 30
    await add_deliveries(
        platform, 2500, state=DeliveryState.DONE, finished_at=func.now() - timedelta(days=days, hours=1)
    )
    await add_deliveries(
        platform, 2, state=DeliveryState.REFUSED, finished_at=func.now() - timedelta(days=days - 1)
    )
    for _ in range(2):
        await prune_messages(platform, PruneMessages("print"))
    assert {delivery.state for delivery in await read_deliveries(platform)} == {DeliveryState.REFUSED}


def read_metric(name: str, queue: str, state: str) -> float | None:
    return METRICS.get_sample_value(name, {"queue": queue, "state": state})


async def test_metrics_tell_how_many_deliveries_of_each_queue_wait_and_for_how_long(
    platform: Platform,
) -> None:
    await add_deliveries(
        platform, 3, state=DeliveryState.PARKED, finished_at=func.now() - timedelta(minutes=5)
    )
    await add_deliveries(platform, 2, state=DeliveryState.REFUSED, finished_at=func.now())
    await add_deliveries(platform, 4, state=DeliveryState.DONE, finished_at=func.now())
    await update_statistics(platform)
    assert read_metric("deliveries", "print", "parked") == 3
    assert read_metric("deliveries", "print", "refused") == 2
    assert 300 <= (read_metric("deliveries_oldest_seconds", "print", "parked") or 0) < 400
    assert read_metric("deliveries", "print", "due") == 0
    assert read_metric("deliveries", "payments", "parked") == 0


async def test_a_metric_tells_how_many_messages_no_relay_has_taken(platform: Platform) -> None:
    for waiting in (0, 2):
        async with platform.print.unit_of_work() as uow:
            for _ in range(waiting):
                await uow.publish(PrintJobStatusChanged("prj_1", "ord_1", "SHIPPED", ""))
        await update_statistics(platform)
        assert METRICS.get_sample_value("outbox_messages", {"domain": "print"}) == waiting
