"""What print shops report by webhooks."""

from __future__ import annotations

from subgraphs.common import webhooks
from subgraphs.common.runtime import Runtime
from subgraphs.common.telemetry import get_logger
from subgraphs.print import repository
from subgraphs.print.service.reconciliation import reconcile_print_job
from subgraphs.print.states import PRINT_JOB_STATES
from subgraphs.print.webhooks import SOURCES


async def handle_shop_event(runtime: Runtime, receipt_id: str) -> None:
    """Reconcile the print job that an event is about, before its next check is due.

    A job whose submission has not been recorded yet is reconciled as soon as it has been.
    """
    source, event = await webhooks.load_event(runtime, SOURCES, receipt_id)
    async with runtime.database.read() as session:
        job = await repository.find_any_job(session, source.provider, event.reference)
    if job is None:
        get_logger().warning(
            "Webhook about an unknown print job", source=source.name, reference=event.reference
        )
    elif job.status not in PRINT_JOB_STATES.terminal:
        await reconcile_print_job(runtime, job.id, job.checks + 1)
