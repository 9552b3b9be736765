"""Preflight of a print job's files."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from subgraphs.common.runtime import Runtime
from subgraphs.print import repository
from subgraphs.print.catalogue import product
from subgraphs.print.jobs import SubmitPrintJob
from subgraphs.print.preflight import CandidateFile, preflight
from subgraphs.print.service.progress import move
from subgraphs.print.states import PrintJobStatus


@dataclass(frozen=True, slots=True)
class FileToPrint:
    """The storage key of a file, and the hash it had when it was approved."""

    storage_key: str
    sha256: str


async def begin_preflight(runtime: Runtime, print_job_id: str) -> str | None:
    """Begin the check; the id of the snapshot whose files are needed, or None when it is over already."""
    async with runtime.unit_of_work() as uow:
        job = await repository.lock_any_job(uow.session, print_job_id)
        await move(uow, job, PrintJobStatus.PREFLIGHT)
        waiting = job.status is PrintJobStatus.PREFLIGHT and job.preflight is None
        return job.snapshot_id if waiting else None


async def check_files(runtime: Runtime, print_job_id: str, interior: FileToPrint, cover: FileToPrint) -> None:
    """Check the two files; a job that passes goes on to the shop, one that does not is rejected."""
    async with runtime.database.read() as session:
        wanted = product((await repository.get_any_job(session, print_job_id)).product_id)
    report = await asyncio.to_thread(
        preflight,
        wanted,
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
            await uow.enqueue(SubmitPrintJob(job.id, attempt=1))
        else:
            reasons = sorted({issue.code.value for issue in report.issues})
            await move(uow, job, PrintJobStatus.REJECTED, f"Preflight found {', '.join(reasons)}.")


async def reject_print_job(runtime: Runtime, print_job_id: str, reason: str) -> None:
    """Reject a job whose files cannot be made."""
    async with runtime.unit_of_work() as uow:
        job = await repository.lock_any_job(uow.session, print_job_id)
        if job.status is PrintJobStatus.PREFLIGHT:
            await move(uow, job, PrintJobStatus.REJECTED, reason)
