"""Preflight of the files of a print job."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from subgraphs.common.runtime import Runtime
from subgraphs.print import repository
from subgraphs.print.catalogue import get_product
from subgraphs.print.geometry import BookFormat
from subgraphs.print.jobs import SubmitPrintJob
from subgraphs.print.preflight import CandidateFile, preflight
from subgraphs.print.service.progress import move_job
from subgraphs.print.states import PrintJobStatus


@dataclass(frozen=True, slots=True)
class FileToPrint:
    """A file in the object store, with the SHA-256 that it had when it was approved."""

    storage_key: str
    sha256: str


async def begin_preflight(runtime: Runtime, print_job_id: str) -> str | None:
    """Begin the preflight of a job; return the id of its snapshot, or None when it has been checked."""
    async with runtime.unit_of_work() as uow:
        job = await repository.lock_any_job(uow.session, print_job_id)
        await move_job(uow, job, PrintJobStatus.PREFLIGHT)
        is_waiting = job.status is PrintJobStatus.PREFLIGHT and job.preflight is None
        return job.snapshot_id if is_waiting else None


async def check_files(
    runtime: Runtime, print_job_id: str, book_format: BookFormat, interior: FileToPrint, cover: FileToPrint
) -> None:
    """Preflight the two files of a job; enqueue its submission if they pass, and reject it otherwise."""
    async with runtime.database.read() as session:
        product = get_product((await repository.get_any_job(session, print_job_id)).product_id)
    report = await asyncio.to_thread(
        preflight,
        product,
        book_format,
        CandidateFile(await runtime.storage.get(interior.storage_key), interior.sha256),
        CandidateFile(await runtime.storage.get(cover.storage_key), cover.sha256),
        runtime.clock(),
    )
    async with runtime.unit_of_work() as uow:
        job = await repository.lock_any_job(uow.session, print_job_id)
        if job.status is not PrintJobStatus.PREFLIGHT or job.preflight is not None:
            return
        job.preflight = report.as_json()
        job.interior_key, job.cover_key = interior.storage_key, cover.storage_key
        if report.passed:
            await uow.enqueue(SubmitPrintJob(job.id, attempt=1), owner_id=job.owner_id)
        else:
            reasons = sorted({issue.code.value for issue in report.issues})
            await move_job(uow, job, PrintJobStatus.REJECTED, f"Preflight found {', '.join(reasons)}.")


async def reject_print_job(runtime: Runtime, print_job_id: str, reason: str) -> None:
    """Reject a job whose files could not be made."""
    async with runtime.unit_of_work() as uow:
        job = await repository.lock_any_job(uow.session, print_job_id)
        if job.status is PrintJobStatus.PREFLIGHT:
            await move_job(uow, job, PrintJobStatus.REJECTED, reason)
