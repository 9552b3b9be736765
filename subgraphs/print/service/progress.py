"""The progress of a print job: each transition is a numbered row, and then an event."""

from __future__ import annotations

from subgraphs.common.telemetry import get_logger
from subgraphs.common.transitions import move
from subgraphs.common.unit_of_work import UnitOfWork
from subgraphs.print.events import PrintJobStatusChanged
from subgraphs.print.models import PrintJob, PrintJobTransition
from subgraphs.print.states import PRINT_JOB_STATES, PrintJobStatus


async def move_job(uow: UnitOfWork, job: PrintJob, status: PrintJobStatus, message: str = "") -> bool:
    """Move a locked job to a state; false, and no change, when that is not ahead of its current one."""
    if not PRINT_JOB_STATES.is_ahead(job.status, status):
        if status is not job.status:
            get_logger().info("Late report ignored", print_job=job.id, status=job.status, reported=status)
        return False
    await record_transition(uow, job, status, message)
    return True


async def record_transition(
    uow: UnitOfWork, job: PrintJob, status: PrintJobStatus, message: str = ""
) -> None:
    """Move a locked job to a state that is ahead, and publish that."""
    sequence = move(PRINT_JOB_STATES, job, status)
    uow.session.add(
        PrintJobTransition(print_job_id=job.id, sequence=sequence, status=status, at=uow.now, message=message)
    )
    await uow.publish(PrintJobStatusChanged(job.id, job.order_id, status.value, message))
