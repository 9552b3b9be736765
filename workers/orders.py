"""Tasks of the orders domain: settling and refunding payments, expiring orders, and following print jobs."""

from __future__ import annotations

from subgraphs.common.unit_of_work import UnitOfWork
from subgraphs.orders import service
from subgraphs.orders.jobs import ExpireOrder, HandlePaymentEvent, RefundPayment, SettlePayment
from subgraphs.print.events import PrintJobStatusChanged
from workers.platform import Platform
from workers.registry import on, task


@task(SettlePayment, queue="payments")
async def settle_payment(platform: Platform, job: SettlePayment) -> None:
    """Settle a payment attempt that is pending, or whose checkout was interrupted."""
    await service.settle_payment(platform.orders, job.attempt_id, job.check)


@task(HandlePaymentEvent, queue="payments")
async def handle_payment_event(platform: Platform, job: HandlePaymentEvent) -> None:
    """Settle the payment that a provider's webhook is about."""
    await service.handle_payment_event(platform.orders, job.receipt_id)


@task(ExpireOrder, queue="payments")
async def expire_order(platform: Platform, job: ExpireOrder) -> None:
    """Expire an order that was not paid before its quote expired."""
    await service.expire_order(platform.orders, job.order_id)


@task(RefundPayment, queue="payments")
async def refund_payment(platform: Platform, job: RefundPayment) -> None:
    """Refund the payment of an order that will not be printed."""
    await service.refund_payment(platform.orders, job.refund_id)


@on(PrintJobStatusChanged, domain="orders", queue="print")
async def follow_print_job(platform: Platform, uow: UnitOfWork, event: PrintJobStatusChanged) -> None:
    """Update an order's status from its print job's."""
    await service.follow_print_job(platform.orders, uow, event)
