"""From a paid order to a parcel: books, orders and print, joined by the worker alone."""

import asyncio
from importlib import import_module

import pytest
from sqlalchemy import select

from subgraphs.common.identity import Identity
from subgraphs.orders import repository as orders_repository
from subgraphs.orders import service as orders
from subgraphs.orders.models import Order
from subgraphs.orders.states import OrderStatus
from subgraphs.print import repository
from subgraphs.print.models import OfflineShopJob, PrintJob
from subgraphs.print.preflight import PreflightReport
from subgraphs.print.states import PrintJobStatus
from tests.workers.paid_orders import COARSE, paid_order
from tests.workers.queues import all_working
from workers.platform import Platform

# What arq calls when it closes.
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated close:DeprecationWarning")
for domain in ("books", "orders", "print"):
    import_module(f"workers.{domain}")


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return {**environ, "OFFLINE_PRINT_STEP_SECONDS": "0.3"}


async def order_at(platform: Platform, parent: Identity, order_id: str, *states: OrderStatus) -> Order:
    """Wait until an order comes into one of these states."""
    async with asyncio.timeout(90):
        while True:
            async with platform.orders.database.read() as session:
                order = await orders_repository.get_order(session, parent.user_id, order_id)
            if order.status in states:
                return order
            await asyncio.sleep(0.1)


async def job_of(platform: Platform, parent: Identity, order_id: str) -> PrintJob:
    async with platform.print.database.read() as session:
        return (await repository.jobs_by_order(session, parent.user_id, [order_id]))[order_id]


async def at_the_shop(platform: Platform, job_id: str) -> list[OfflineShopJob]:
    async with platform.print.database.read() as session:
        return list(await session.scalars(select(OfflineShopJob).where(OfflineShopJob.external_id == job_id)))


async def test_a_paid_order_is_typeset_checked_printed_once_and_shipped(
    environ: dict[str, str], platform: Platform
) -> None:
    parent, paid = await paid_order(platform)
    async with all_working(environ, platform):
        order = await order_at(platform, parent, paid.id, OrderStatus.SHIPPED, OrderStatus.PRINT_REJECTED)
    job = await job_of(platform, parent, paid.id)
    assert job.preflight is not None
    report = PreflightReport.from_json(job.preflight)
    assert report.issues == ()
    assert report.effective_ppi == 280  # the cover's picture, which is wrapped around the board
    assert (order.status, job.status) == (OrderStatus.SHIPPED, PrintJobStatus.SHIPPED)
    [printed] = await at_the_shop(platform, job.id)
    assert (printed.reference, printed.quantity, printed.shipping_level) == (
        job.provider_reference,
        1,
        "MAIL",
    )
    async with platform.orders.database.read() as session:
        passed = (await orders_repository.transitions_of(session, [paid.id]))[paid.id]
    # Messages may overtake each other: an order that is shipped before it was in production is only shipped.
    assert [step.status for step in passed if step.status is not OrderStatus.IN_PRODUCTION] == [
        OrderStatus.AWAITING_PAYMENT,
        OrderStatus.PAID,
        OrderStatus.PREPARING,
        OrderStatus.SHIPPED,
    ]


async def test_an_order_whose_pictures_are_too_coarse_is_rejected_before_the_shop(
    environ: dict[str, str], platform: Platform
) -> None:
    parent, paid = await paid_order(platform, picture_side=COARSE)
    async with all_working(environ, platform):
        await order_at(platform, parent, paid.id, OrderStatus.PRINT_REJECTED)
    job = await job_of(platform, parent, paid.id)
    assert job.preflight is not None
    issues = PreflightReport.from_json(job.preflight).issues
    assert {issue.code.value for issue in issues} == {"LOW_PPI"}
    assert [issue.page for issue in issues] == [1, *range(5, 32, 2), None]
    assert await at_the_shop(platform, job.id) == []


async def test_an_order_cancelled_at_once_is_not_printed(environ: dict[str, str], platform: Platform) -> None:
    parent, paid = await paid_order(platform)
    await orders.cancel_order(platform.orders, parent, paid.id)
    async with all_working(environ, platform), asyncio.timeout(90):
        while True:
            async with platform.print.database.read() as session:
                found = await repository.jobs_by_order(session, parent.user_id, [paid.id])
            if found and found[paid.id].status is PrintJobStatus.CANCELED:
                break
            await asyncio.sleep(0.1)
    assert await at_the_shop(platform, found[paid.id].id) == []
    order = await order_at(platform, parent, paid.id, OrderStatus.CANCELLED)
    assert order.status is OrderStatus.CANCELLED
