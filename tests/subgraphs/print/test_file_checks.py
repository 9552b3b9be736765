"""Print jobs from their creation to the end of preflight."""

import asyncio

from subgraphs.common.ids import new_id
from subgraphs.common.runtime import Runtime
from subgraphs.print import service
from subgraphs.print.preflight import PreflightCode, PreflightReport
from subgraphs.print.states import PrintJobStatus
from tests.subgraphs.print.conftest import SteppingClock
from tests.subgraphs.print.jobs import (
    COVER,
    INTERIOR,
    SQUARE,
    create_checked_job,
    create_job,
    read_history,
    read_job,
    read_outbox,
    read_statuses,
    store_file,
)
from tests.subgraphs.print.pdf_files import build_book


async def test_a_new_job_is_announced_and_queued_for_preflight(
    runtime: Runtime, clock: SteppingClock
) -> None:
    job = await create_job(runtime)
    assert (job.status, job.created_at) == (PrintJobStatus.CREATED, clock.now)
    assert await read_outbox(runtime, job.id, "print.PreflightPrintJob") == [{"print_job_id": job.id}]
    assert await read_outbox(runtime, job.id, "print.PrintJobStatusChanged") == [
        {"print_job_id": job.id, "order_id": job.order_id, "status": "CREATED", "message": ""}
    ]


async def test_an_order_gets_one_job_however_often_it_is_paid(runtime: Runtime) -> None:
    order_id = new_id("ord")
    first = await create_job(runtime, order_id=order_id)
    again = await create_job(runtime, order_id=order_id)
    assert first.id == again.id
    assert await read_statuses(runtime, first.id) == [PrintJobStatus.CREATED]


async def test_a_job_with_good_files_is_queued_for_submission(runtime: Runtime, clock: SteppingClock) -> None:
    job = await create_checked_job(runtime)
    assert job.status is PrintJobStatus.PREFLIGHT
    assert job.preflight is not None
    assert PreflightReport.from_json(job.preflight) == PreflightReport(clock.now, None, ())
    assert await read_statuses(runtime, job.id) == [PrintJobStatus.CREATED, PrintJobStatus.PREFLIGHT]


async def test_bad_files_end_the_job_with_a_report_and_a_reason(runtime: Runtime) -> None:
    job = await create_checked_job(runtime, interior=build_book(22))
    assert job.status is PrintJobStatus.REJECTED
    assert job.preflight is not None
    assert [issue["code"] for issue in job.preflight["issues"]] == ["PAGE_COUNT"]
    assert (await read_history(runtime, job.id))[-1].message == "Preflight found PAGE_COUNT."
    assert await read_outbox(runtime, job.id, "print.SubmitPrintJob") == []


async def test_bytes_that_changed_since_approval_are_not_printed(runtime: Runtime) -> None:
    job = await create_job(runtime)
    await service.begin_preflight(runtime, job.id)
    interior = await store_file(runtime, f"{job.snapshot_id}/interior.pdf", INTERIOR())
    cover = await store_file(runtime, f"{job.snapshot_id}/cover.pdf", COVER())
    await runtime.storage.put(interior.storage_key, INTERIOR() + b"\n")
    await service.check_files(runtime, job.id, SQUARE, interior, cover)
    after = await read_job(runtime, job.id)
    assert after.status is PrintJobStatus.REJECTED
    assert after.preflight is not None
    assert [issue["code"] for issue in after.preflight["issues"]] == [PreflightCode.CONTENT_CHANGED]


async def test_a_repeated_preflight_submits_once(runtime: Runtime) -> None:
    job = await create_job(runtime)
    assert await service.begin_preflight(runtime, job.id) == job.snapshot_id
    assert await service.begin_preflight(runtime, job.id) == job.snapshot_id
    files = [
        await store_file(runtime, f"{job.snapshot_id}/interior.pdf", INTERIOR()),
        await store_file(runtime, f"{job.snapshot_id}/cover.pdf", COVER()),
    ]
    await asyncio.gather(*(service.check_files(runtime, job.id, SQUARE, *files) for _ in range(2)))
    assert await service.begin_preflight(runtime, job.id) is None
    assert len(await read_outbox(runtime, job.id, "print.SubmitPrintJob")) == 1


async def test_files_that_cannot_be_typeset_end_the_job(runtime: Runtime) -> None:
    job = await create_job(runtime)
    await service.begin_preflight(runtime, job.id)
    await service.reject_print_job(runtime, job.id, "Page 7 does not fit.")
    assert (await read_history(runtime, job.id))[-1].message == "Page 7 does not fit."
    await service.reject_print_job(runtime, job.id, "Page 7 does not fit.")
    assert len(await read_statuses(runtime, job.id)) == 3
