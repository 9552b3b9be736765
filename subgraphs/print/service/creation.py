"""Creation of the print job of a paid order."""

from __future__ import annotations

from dataclasses import dataclass

from subgraphs.common.ids import new_id
from subgraphs.common.runtime import Runtime
from subgraphs.common.unit_of_work import UnitOfWork
from subgraphs.print import repository
from subgraphs.print.jobs import PreflightPrintJob
from subgraphs.print.providers.registry import PROVIDERS
from subgraphs.print.service.progress import record_transition
from subgraphs.print.states import PrintJobStatus


@dataclass(frozen=True, slots=True)
class NewPrintJob:
    """The data of a print job to create."""

    order_id: str
    owner_id: str
    snapshot_id: str
    product_id: str
    quantity: int


async def create_print_job(runtime: Runtime, uow: UnitOfWork, new: NewPrintJob) -> None:
    """Create the print job of an order and enqueue its preflight, unless the order has one.

    Whether it can be printed is the preflight's to find, whose rejection is refunded.
    """
    job = await repository.add_job(
        uow.session,
        {
            "id": new_id("prj"),
            "order_id": new.order_id,
            "owner_id": new.owner_id,
            "snapshot_id": new.snapshot_id,
            "product_id": new.product_id,
            "quantity": new.quantity,
            "status": PrintJobStatus.CREATED,
            "provider": PROVIDERS.get_default_name(runtime),
            "cancel_requested": False,
            "attempts": 0,
            "checks": 0,
            "last_sequence": 0,
            "created_at": uow.now,
        },
    )
    if job is not None:
        await record_transition(uow, job, PrintJobStatus.CREATED)
        await uow.enqueue(PreflightPrintJob(job.id), owner_id=job.owner_id)


async def get_order_id(runtime: Runtime, print_job_id: str) -> str:
    """Get the id of the order that a print job belongs to; NotFound when there is no such job."""
    async with runtime.database.read() as session:
        return (await repository.get_any_job(session, print_job_id)).order_id
