"""From a paid order to a shipped parcel, across books, orders and print."""

import asyncio
from importlib import import_module

import pytest
from sqlalchemy import select

from subgraphs.books.models import Book, Illustration
from subgraphs.common.identity import Identity
from subgraphs.orders import repository as orders_repository
from subgraphs.orders import service as orders
from subgraphs.orders.models import Order
from subgraphs.orders.states import OrderStatus
from subgraphs.print import repository
from subgraphs.print.models import OfflineShopJob, PrintJob
from subgraphs.print.preflight import PreflightReport
from subgraphs.print.states import PrintJobStatus
from tests.support.payments import list_refunds, read_refunds
from tests.workers.harness import run_worker, wait_until
from tests.workers.paid_orders import COARSE_SIDE, create_paid_order, picture_bytes
from workers.platform import Platform

# arq calls the deprecated name when it closes its pool.
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated close:DeprecationWarning")
for domain in ("books", "orders", "print"):
    import_module(f"workers.{domain}")


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return {**environ, "OFFLINE_PRINT_STEP_SECONDS": "0.3"}


async def wait_for_order(platform: Platform, parent: Identity, order_id: str, *states: OrderStatus) -> Order:
    """Wait until an order reaches one of these states."""
    async with asyncio.timeout(90):
        while True:
            async with platform.orders.database.read() as session:
                order = await orders_repository.get_order(session, parent.user_id, order_id)
            if order.status in states:
                return order
            await asyncio.sleep(0.1)


async def read_job(platform: Platform, parent: Identity, order_id: str) -> PrintJob:
    async with platform.print.database.read() as session:
        return (await repository.load_jobs_of_orders(session, parent.user_id, [order_id]))[order_id]


async def list_jobs_at_provider(platform: Platform, job_id: str) -> list[OfflineShopJob]:
    async with platform.print.database.read() as session:
        return list(await session.scalars(select(OfflineShopJob).where(OfflineShopJob.external_id == job_id)))


async def test_a_paid_order_is_typeset_preflighted_printed_once_and_shipped(
    environ: dict[str, str], platform: Platform
) -> None:
    parent, paid = await create_paid_order(platform)
    async with run_worker(environ, platform):
        order = await wait_for_order(
            platform, parent, paid.id, OrderStatus.SHIPPED, OrderStatus.PRINT_REJECTED
        )
    job = await read_job(platform, parent, paid.id)
    assert job.preflight is not None
    report = PreflightReport.from_json(job.preflight)
    assert report.issues == ()
    assert report.effective_ppi == 280  # that of the cover's picture, which is stretched over the wrap
    assert (order.status, job.status) == (OrderStatus.SHIPPED, PrintJobStatus.SHIPPED)
    [printed] = await list_jobs_at_provider(platform, job.id)
    assert (printed.reference, printed.quantity, printed.shipping_level) == (
        job.provider_reference,
        1,
        "MAIL",
    )
    async with platform.orders.database.read() as session:
        passed = (await orders_repository.load_transitions_of_orders(session, [paid.id]))[paid.id]
    # Events may arrive out of order: an order that was shipped first skips IN_PRODUCTION.
    assert [step.status for step in passed if step.status is not OrderStatus.IN_PRODUCTION] == [
        OrderStatus.AWAITING_PAYMENT,
        OrderStatus.PAID,
        OrderStatus.PREPARING,
        OrderStatus.SHIPPED,
    ]


async def test_an_order_with_low_resolution_pictures_is_rejected_before_submission(
    environ: dict[str, str], platform: Platform
) -> None:
    parent, paid = await create_paid_order(platform, picture_side=COARSE_SIDE)
    async with run_worker(environ, platform):
        await wait_for_order(platform, parent, paid.id, OrderStatus.PRINT_REJECTED)
    job = await read_job(platform, parent, paid.id)
    assert job.preflight is not None
    issues = PreflightReport.from_json(job.preflight).issues
    assert {issue.code.value for issue in issues} == {"LOW_PPI"}
    assert [issue.page for issue in issues] == [1, *range(5, 32, 2), None]
    assert await list_jobs_at_provider(platform, job.id) == []


async def test_an_order_whose_picture_was_replaced_since_its_approval_is_rejected_refunded_and_told(
    environ: dict[str, str], platform: Platform
) -> None:
    parent, paid = await create_paid_order(platform)
    async with platform.books.database.read() as session:
        key = await session.scalar(
            select(Illustration.storage_key)
            .join(Book, Book.id == Illustration.book_id)
            .where(Book.owner_id == parent.user_id)
            .limit(1)
        )
    assert key is not None
    await platform.books.storage.put(key, picture_bytes(COARSE_SIDE))
    async with run_worker(environ, platform):
        await wait_for_order(platform, parent, paid.id, OrderStatus.PRINT_REJECTED)
        await wait_until(lambda: is_refunded(platform, paid.id))
    job = await read_job(platform, parent, paid.id)
    assert job.status is PrintJobStatus.REJECTED
    assert await list_jobs_at_provider(platform, job.id) == []
    async with platform.orders.database.read() as session:
        passed = (await orders_repository.load_transitions_of_orders(session, [paid.id]))[paid.id]
    assert passed[-1].reason == "A picture is not the one that was approved."
    assert [refund.amount for refund in await read_refunds(platform.orders, paid.id)] == [paid.total]


async def test_an_order_of_a_product_that_is_no_longer_made_is_rejected_refunded_and_told(
    environ: dict[str, str], platform: Platform
) -> None:
    parent, paid = await create_paid_order(platform, product_id="casewrap-of-last-year")
    async with run_worker(environ, platform):
        await wait_for_order(platform, parent, paid.id, OrderStatus.PRINT_REJECTED)
        await wait_until(lambda: is_refunded(platform, paid.id))
    async with platform.orders.database.read() as session:
        passed = (await orders_repository.load_transitions_of_orders(session, [paid.id]))[paid.id]
    assert passed[-1].reason == "PrintProduct 'casewrap-of-last-year' was not found."


async def is_refunded(platform: Platform, order_id: str) -> bool:
    return [refund.status for refund in await list_refunds(platform.orders, order_id)] == ["SUCCEEDED"]


async def test_a_book_of_another_format_is_printed_as_the_product_made_for_it(
    environ: dict[str, str], platform: Platform
) -> None:
    parent, paid = await create_paid_order(platform, format_id="square-7.5", product_id="casewrap-7.5-square")
    async with run_worker(environ, platform):
        order = await wait_for_order(
            platform, parent, paid.id, OrderStatus.SHIPPED, OrderStatus.PRINT_REJECTED
        )
    job = await read_job(platform, parent, paid.id)
    assert job.preflight is not None
    assert PreflightReport.from_json(job.preflight).issues == ()
    assert order.status is OrderStatus.SHIPPED
    [printed] = await list_jobs_at_provider(platform, job.id)
    assert printed.pod_package_id == "0750X0750.FC.PRE.CW.080CW444.MXX"


async def test_a_book_paid_as_a_product_of_another_format_is_rejected_before_submission(
    environ: dict[str, str], platform: Platform
) -> None:
    parent, paid = await create_paid_order(platform, format_id="square-7.5")
    async with run_worker(environ, platform):
        await wait_for_order(platform, parent, paid.id, OrderStatus.PRINT_REJECTED)
    job = await read_job(platform, parent, paid.id)
    assert job.preflight is not None
    issues = PreflightReport.from_json(job.preflight).issues
    assert [issue.code.value for issue in issues] == ["TRIM_SIZE"]
    assert await list_jobs_at_provider(platform, job.id) == []


async def test_an_order_cancelled_before_submission_is_not_printed(
    environ: dict[str, str], platform: Platform
) -> None:
    parent, paid = await create_paid_order(platform)
    await orders.cancel_order(platform.orders, parent, paid.id)
    async with run_worker(environ, platform), asyncio.timeout(90):
        while True:
            async with platform.print.database.read() as session:
                found = await repository.load_jobs_of_orders(session, parent.user_id, [paid.id])
            if found and found[paid.id].status is PrintJobStatus.CANCELLED:
                break
            await asyncio.sleep(0.1)
    assert await list_jobs_at_provider(platform, found[paid.id].id) == []
    order = await wait_for_order(platform, parent, paid.id, OrderStatus.CANCELLED)
    assert order.status is OrderStatus.CANCELLED
