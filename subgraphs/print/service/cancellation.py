"""A cancelled order is not printed, if there is still time."""

from __future__ import annotations

from typing import Final

from subgraphs.common.unit_of_work import UnitOfWork
from subgraphs.print import repository
from subgraphs.print.service.creation import NewPrintJob, create_print_job
from subgraphs.print.service.progress import move
from subgraphs.print.states import PrintJobStatus

_STILL_OURS: Final = frozenset({PrintJobStatus.CREATED, PrintJobStatus.PREFLIGHT})


async def cancel_print_job(uow: UnitOfWork, new: NewPrintJob) -> None:
    """Stop the printing of an order.

    The news of the payment may still be on its way: the order gets its job here then, so that what comes
    late finds it cancelled. A job that the shop does not have is cancelled at once; for any other the next
    reconciliation asks the shop, which may say that it is too late.
    """
    await create_print_job(uow, new)
    job = await repository.lock_job_of_order(uow.session, new.order_id)
    assert job is not None, "it was just created, or there before"
    if job.status in _STILL_OURS:
        await move(uow, job, PrintJobStatus.CANCELED, "The order was cancelled.")
    else:
        job.cancel_requested = True
