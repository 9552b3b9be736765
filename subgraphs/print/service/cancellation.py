"""A cancelled order is not printed, if there is still time."""

from __future__ import annotations

from typing import Final

from subgraphs.common.unit_of_work import UnitOfWork
from subgraphs.print import repository
from subgraphs.print.service.progress import move
from subgraphs.print.states import PrintJobStatus

_STILL_OURS: Final = frozenset({PrintJobStatus.CREATED, PrintJobStatus.PREFLIGHT})


async def cancel_print_job(uow: UnitOfWork, order_id: str) -> None:
    """Stop an order's job.

    One that the shop does not have yet is cancelled here; for any other the next reconciliation asks the
    shop, which may say that it is too late.
    """
    job = await repository.lock_job_of_order(uow.session, order_id)
    if job is None:
        return
    if job.status in _STILL_OURS:
        await move(uow, job, PrintJobStatus.CANCELED, "The order was cancelled.")
    else:
        job.cancel_requested = True
