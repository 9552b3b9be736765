"""Cancellation of a print job, if it is not too late."""

from __future__ import annotations

from typing import Final

from subgraphs.common.runtime import Runtime
from subgraphs.common.unit_of_work import UnitOfWork
from subgraphs.print import repository
from subgraphs.print.jobs import ReconcilePrintJob
from subgraphs.print.service.creation import NewPrintJob, create_print_job
from subgraphs.print.service.progress import move_job
from subgraphs.print.states import CANCELLABLE, PrintJobStatus

ORDER_CANCELLED: Final = "The order was cancelled."
_NOT_SUBMITTED: Final = frozenset({PrintJobStatus.CREATED, PrintJobStatus.PREFLIGHT})


async def cancel_print_job(runtime: Runtime, uow: UnitOfWork, new: NewPrintJob) -> None:
    """Cancel the print job of an order.

    OrderPaid may arrive after OrderCancelled: the order then gets its job here, so that the late event finds
    it cancelled. A job that has not been submitted is cancelled at once. One that is being submitted is
    cancelled by the next attempt, unless the shop has it. For any other, a reconciliation asks the shop at
    once to cancel it, which the shop may refuse.
    """
    await create_print_job(runtime, uow, new)
    job = await repository.lock_job_of_order(uow.session, new.order_id)
    if job.status in _NOT_SUBMITTED:
        await move_job(uow, job, PrintJobStatus.CANCELLED, ORDER_CANCELLED)
        return
    job.cancel_requested = True
    if job.provider_reference is not None and job.status in CANCELLABLE:
        await uow.enqueue(ReconcilePrintJob(job.id, job.checks + 1), owner_id=job.owner_id)
