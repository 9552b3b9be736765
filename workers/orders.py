"""The tasks of the orders domain: settlements, refunds, and orders that follow their print jobs."""

from __future__ import annotations

from subgraphs.orders import service
from subgraphs.orders.errors import PaymentDeclined
from subgraphs.orders.jobs import RefundPayment, SettlePayment
from subgraphs.print.events import PrintJobStatusChanged
from workers.platform import Platform
from workers.registry import on, task


@task(SettlePayment)
async def settle_payment(platform: Platform, job: SettlePayment) -> None:
    """Settle a checkout whose process may have ended before it could."""
    try:
        await service.settle_payment(platform.orders, job.order_id)
    except PaymentDeclined:
        # A decline is an outcome, and is recorded.
        return


@task(RefundPayment)
async def refund_payment(platform: Platform, job: RefundPayment) -> None:
    """Refund an order that will not be printed."""
    await service.refund_payment(platform.orders, job.order_id)


@on(PrintJobStatusChanged, consumer="orders.follow_print_job")
async def follow_print_job(platform: Platform, event: PrintJobStatusChanged, message_id: str) -> None:
    """Move an order with its print job."""
    await service.follow_print_job(platform.orders, event, message_id)
