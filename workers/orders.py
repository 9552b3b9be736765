"""Tasks of the orders domain: settling and refunding payments, and following print jobs."""

from __future__ import annotations

from subgraphs.common.unit_of_work import UnitOfWork
from subgraphs.orders import service
from subgraphs.orders.errors import PaymentDeclined
from subgraphs.orders.jobs import RefundPayment, SettlePayment
from subgraphs.print.events import PrintJobStatusChanged
from workers.platform import Platform
from workers.registry import on, task


@task(SettlePayment, queue="payments")
async def settle_payment(platform: Platform, job: SettlePayment) -> None:
    """Settle a payment whose checkout may have been interrupted."""
    try:
        await service.settle_payment(platform.orders, job.order_id)
    except PaymentDeclined:
        # A decline is an outcome; the service has recorded it.
        return


@task(RefundPayment, queue="payments")
async def refund_payment(platform: Platform, job: RefundPayment) -> None:
    """Refund an order that will not be printed."""
    await service.refund_payment(platform.orders, job.order_id)


@on(PrintJobStatusChanged, domain="orders", queue="print")
async def follow_print_job(platform: Platform, uow: UnitOfWork, event: PrintJobStatusChanged) -> None:
    """Update an order's status from its print job's."""
    await service.follow_print_job(platform.orders, uow, event)
