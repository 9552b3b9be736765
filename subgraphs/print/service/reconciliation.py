"""Reconciliation of a print job with the print shop, until the job is in a final state."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from subgraphs.common.runtime import Runtime
from subgraphs.common.telemetry import get_logger
from subgraphs.print import repository
from subgraphs.print.jobs import ReconcilePrintJob
from subgraphs.print.providers.base import PrintProvider, Shipment, ShopJob, ShopUnreachable
from subgraphs.print.providers.registry import PROVIDERS
from subgraphs.print.service.progress import move_job
from subgraphs.print.states import CANCELLABLE, PRINT_JOB_STATES


async def reconcile_print_job(runtime: Runtime, print_job_id: str, check: int) -> None:
    """Ask the shop for the state of a job and adopt it; enqueue the next check unless it is final."""
    async with runtime.database.read() as session:
        job = await repository.get_any_job(session, print_job_id)
    if job.checks != check - 1 or job.provider_reference is None:
        return
    wants_cancel = job.cancel_requested and job.status in CANCELLABLE
    async with PROVIDERS.open(runtime, job.provider) as provider:
        report = await _fetch_report(provider, job.provider_reference, cancel=wants_cancel)
    async with runtime.unit_of_work() as uow:
        job = await repository.lock_any_job(uow.session, print_job_id)
        if job.checks != check - 1:
            return
        job.checks = check
        if report is not None and await move_job(uow, job, report.status, report.message) and report.shipment:
            job.shipment = _convert_shipment(report.shipment)
        if job.status not in PRINT_JOB_STATES.terminal:
            await uow.enqueue(
                ReconcilePrintJob(job.id, check + 1), owner_id=job.owner_id, delay=provider.poll_interval
            )


async def _fetch_report(provider: PrintProvider, reference: str, *, cancel: bool) -> ShopJob | None:
    """Get or cancel the job at the shop; None when the shop does not answer."""
    try:
        return await (provider.cancel(reference) if cancel else provider.get(reference))
    except ShopUnreachable as error:
        get_logger().warning("The print shop does not answer", reference=reference, error=error)
        return None


def _convert_shipment(shipment: Shipment) -> dict[str, Any]:
    return asdict(shipment) | {"shipped_at": shipment.shipped_at.isoformat()}
