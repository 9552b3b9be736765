"""Tasks of the print domain: from a paid order to a shipped parcel."""

from __future__ import annotations

from subgraphs.books.service import make_print_files
from subgraphs.common.errors import DomainError
from subgraphs.common.unit_of_work import UnitOfWork
from subgraphs.orders.events import OrderCancelled, OrderPaid
from subgraphs.orders.service import FulfilmentOrder, get_fulfilment_order
from subgraphs.print import service
from subgraphs.print.jobs import HandleShopEvent, PreflightPrintJob, ReconcilePrintJob, SubmitPrintJob
from subgraphs.print.service import BookFormat, FileToPrint, NewPrintJob, ShippingDetails
from workers.platform import Platform
from workers.registry import on, task


@on(OrderPaid, domain="print", queue="print")
async def create_print_job(platform: Platform, uow: UnitOfWork, event: OrderPaid) -> None:
    """Create the print job of a paid order."""
    order = await get_fulfilment_order(platform.orders, event.order_id)
    await service.create_print_job(platform.print, uow, _build_print_job(order))


@on(OrderCancelled, domain="print", queue="print")
async def cancel_print_job(platform: Platform, uow: UnitOfWork, event: OrderCancelled) -> None:
    """Cancel the print job of a cancelled order."""
    order = await get_fulfilment_order(platform.orders, event.order_id)
    await service.cancel_print_job(platform.print, uow, _build_print_job(order))


@task(PreflightPrintJob, queue="print")
async def preflight_print_job(platform: Platform, job: PreflightPrintJob) -> None:
    """Make the print files of the approved snapshot and preflight them."""
    snapshot_id = await service.begin_preflight(platform.print, job.print_job_id)
    if snapshot_id is None:
        return
    try:
        book = await make_print_files(platform.books, snapshot_id)
        trim_width, trim_height = book.format.trim_width, book.format.trim_height
        await service.check_files(
            platform.print,
            job.print_job_id,
            BookFormat.of(trim_width, trim_height, book.format.bleed, book.page_count),
            interior=FileToPrint(book.interior.storage_key, book.interior.sha256),
            cover=FileToPrint(book.cover.storage_key, book.cover.sha256),
        )
    except DomainError as error:
        await service.reject_print_job(platform.print, job.print_job_id, str(error))


@task(SubmitPrintJob, queue="print")
async def submit_print_job(platform: Platform, job: SubmitPrintJob) -> None:
    """Submit a preflighted job to the print provider, with the order's shipping address."""
    order_id = await service.get_order_id(platform.print, job.print_job_id)
    order = await get_fulfilment_order(platform.orders, order_id)
    await service.submit_print_job(
        platform.print, job.print_job_id, job.attempt, ShippingDetails(order.shipping_level, order.address)
    )


@task(ReconcilePrintJob, queue="print")
async def reconcile_print_job(platform: Platform, job: ReconcilePrintJob) -> None:
    """Reconcile a print job with the print provider's state."""
    await service.reconcile_print_job(platform.print, job.print_job_id, job.check)


@task(HandleShopEvent, queue="print")
async def handle_shop_event(platform: Platform, job: HandleShopEvent) -> None:
    """Reconcile the print job that a shop's webhook is about."""
    await service.handle_shop_event(platform.print, job.receipt_id)


def _build_print_job(order: FulfilmentOrder) -> NewPrintJob:
    return NewPrintJob(order.order_id, order.owner_id, order.snapshot_id, order.product_id, order.quantity)
