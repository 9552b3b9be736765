"""Cancellation of a print job, where there is still time."""

from __future__ import annotations

from typing import Final

from subgraphs.common.runtime import Runtime
from subgraphs.print import repository
from subgraphs.print.service.creation import NewPrintJob, ensure_job
from subgraphs.print.service.progress import move
from subgraphs.print.states import PrintJobStatus

_STILL_OURS: Final = frozenset({PrintJobStatus.CREATED, PrintJobStatus.PREFLIGHT})


async def cancel_print_job(runtime: Runtime, new: NewPrintJob, message_id: str) -> None:
    """Cancel the print job of an order, once for each message.

    OrderPaid may come after OrderCancelled: the order then gets its job here, so that the late event finds it
    cancelled. A job that the shop does not have is cancelled at once; for any other the next
    reconciliation asks the shop, which may say that it is too late.
    """
    async with runtime.unit_of_work() as uow:
        if not await uow.receive("print.cancel_print_job", message_id):
            return
        await ensure_job(uow, new)
        job = await repository.lock_job_of_order(uow.session, new.order_id)
        assert job is not None, "it was just created, or there before"
        if job.status in _STILL_OURS:
            await move(uow, job, PrintJobStatus.CANCELED, "The order was cancelled.")
        else:
            job.cancel_requested = True
