"""Helpers that create print jobs in a given state and read them and their outbox."""

import hashlib
from functools import cache
from typing import Any

from sqlalchemy import select

from subgraphs.common.ids import new_id
from subgraphs.common.postal import Address, ShippingLevel
from subgraphs.common.runtime import Runtime
from subgraphs.print import repository, service
from subgraphs.print.models import OfflineShopJob, PrintJob, PrintJobTransition
from subgraphs.print.states import PrintJobStatus
from tests.subgraphs.print.pdf_files import build_book, build_cover

SHIPPING = service.ShippingDetails(
    shipping_level=ShippingLevel.MAIL,
    address=Address("Ada", "1 Byron Row", None, "London", None, "N1 1AA", "GB", "+44 20 7946 0000"),
)

SQUARE = service.BookFormat.of(trim_width=8.5, trim_height=8.5, bleed=0.125, page_count=32)
INTERIOR = cache(build_book)
COVER = cache(build_cover)


async def create_job(runtime: Runtime, owner_id: str = "usr_ada", order_id: str | None = None) -> PrintJob:
    """Create a print job."""
    new = build_new_job(order_id or new_id("ord"), owner_id)
    async with runtime.unit_of_work() as uow:
        await service.create_print_job(runtime, uow, new)
    return await read_job_of_order(runtime, new.order_id, owner_id)


async def cancel(runtime: Runtime, order_id: str) -> None:
    """Cancel an order's printing."""
    async with runtime.unit_of_work() as uow:
        await service.cancel_print_job(runtime, uow, build_new_job(order_id))


def build_new_job(order_id: str, owner_id: str = "usr_ada") -> service.NewPrintJob:
    """Build the request for a print job as the orders domain sends it."""
    return service.NewPrintJob(order_id, owner_id, new_id("snp"), "casewrap-8.5-square", 1)


async def read_job_of_order(runtime: Runtime, order_id: str, owner_id: str = "usr_ada") -> PrintJob:
    """Read the job of an order."""
    async with runtime.database.read() as session:
        return (await repository.load_jobs_of_orders(session, owner_id, [order_id]))[order_id]


async def create_checked_job(
    runtime: Runtime, owner_id: str = "usr_ada", interior: bytes | None = None
) -> PrintJob:
    """Create a print job that has passed preflight."""
    job = await create_job(runtime, owner_id)
    await service.begin_preflight(runtime, job.id)
    files = [
        await store_file(
            runtime, f"{job.snapshot_id}/interior.pdf", INTERIOR() if interior is None else interior
        ),
        await store_file(runtime, f"{job.snapshot_id}/cover.pdf", COVER()),
    ]
    await service.check_files(runtime, job.id, SQUARE, *files)
    return await read_job(runtime, job.id)


async def store_file(runtime: Runtime, key: str, content: bytes) -> service.FileToPrint:
    """Store a file; return it with its own hash as the approved one."""
    await runtime.storage.put(key, content)
    return service.FileToPrint(key, hashlib.sha256(content).hexdigest())


async def read_job(runtime: Runtime, job_id: str) -> PrintJob:
    """Read the job."""
    async with runtime.database.read() as session:
        return await repository.get_any_job(session, job_id)


async def read_history(runtime: Runtime, job_id: str) -> list[PrintJobTransition]:
    """Read the transitions of the job."""
    async with runtime.database.read() as session:
        return (await repository.load_transitions_of_jobs(session, [job_id]))[job_id]


async def read_statuses(runtime: Runtime, job_id: str) -> list[PrintJobStatus]:
    """Read the states that the job went through."""
    return [step.status for step in await read_history(runtime, job_id)]


async def read_shop_jobs(runtime: Runtime, job_id: str) -> list[OfflineShopJob]:
    """Read the shop's jobs with the reference of this job."""
    async with runtime.database.read() as session:
        return list(await session.scalars(select(OfflineShopJob).where(OfflineShopJob.external_id == job_id)))


async def read_outbox(runtime: Runtime, job_id: str, name: str) -> list[dict[str, Any]]:
    """Read the payloads of the messages of this name about the job, oldest first."""
    table = runtime.metadata.tables["print.outbox"]
    async with runtime.database.read() as session:
        rows = await session.execute(
            select(table.c.payload)
            .where(table.c.name == name, table.c.payload["print_job_id"].astext == job_id)
            .order_by(table.c.id)
        )
        return [row.payload for row in rows]
