"""Print jobs brought to where a test begins, and what they have left in the outbox."""

import hashlib
from functools import cache
from typing import Any

from sqlalchemy import select

from subgraphs.common.ids import new_id
from subgraphs.common.runtime import Runtime
from subgraphs.print import repository, service
from subgraphs.print.models import OfflineShopJob, PrintJob, PrintJobTransition
from subgraphs.print.prices import ShippingLevel
from subgraphs.print.providers.protocol import Recipient
from subgraphs.print.states import PrintJobStatus
from tests.subgraphs.print.pdf_files import book, cover

DELIVERY = service.Delivery(
    shipping_level=ShippingLevel.MAIL,
    recipient=Recipient("Ada", "1 Byron Row", None, "London", None, "N1 1AA", "GB", "+44 20 7946 0000"),
)

INTERIOR = cache(book)
COVER = cache(cover)


async def created(runtime: Runtime, owner_id: str = "usr_ada", order_id: str | None = None) -> PrintJob:
    """A new print job."""
    new = paid(order_id or new_id("ord"), owner_id)
    await service.create_print_job(runtime, new, new_id("msg"))
    return await job_of(runtime, new.order_id, owner_id)


async def cancel(runtime: Runtime, order_id: str) -> None:
    """Cancel an order's printing."""
    await service.cancel_print_job(runtime, paid(order_id), new_id("msg"))


def paid(order_id: str, owner_id: str = "usr_ada") -> service.NewPrintJob:
    """What orders tells of a paid order."""
    return service.NewPrintJob(order_id, owner_id, new_id("snp"), "casewrap-8.5-square", 1)


async def job_of(runtime: Runtime, order_id: str, owner_id: str = "usr_ada") -> PrintJob:
    """An order's job."""
    async with runtime.database.read() as session:
        return (await repository.load_jobs_of_orders(session, owner_id, [order_id]))[order_id]


async def checked(runtime: Runtime, owner_id: str = "usr_ada", interior: bytes | None = None) -> PrintJob:
    """A print job after preflight."""
    job = await created(runtime, owner_id)
    await service.begin_preflight(runtime, job.id)
    files = [
        await stored(
            runtime, f"{job.snapshot_id}/interior.pdf", INTERIOR() if interior is None else interior
        ),
        await stored(runtime, f"{job.snapshot_id}/cover.pdf", COVER()),
    ]
    await service.check_files(runtime, job.id, *files)
    return await seen(runtime, job.id)


async def stored(runtime: Runtime, key: str, content: bytes) -> service.FileToPrint:
    """A file in the store, approved as it is."""
    await runtime.storage.put(key, content)
    return service.FileToPrint(key, hashlib.sha256(content).hexdigest())


async def seen(runtime: Runtime, job_id: str) -> PrintJob:
    """The job as it now is."""
    async with runtime.database.read() as session:
        return await repository.get_any_job(session, job_id)


async def history(runtime: Runtime, job_id: str) -> list[PrintJobTransition]:
    """The job's history."""
    async with runtime.database.read() as session:
        return (await repository.load_transitions_of_jobs(session, [job_id]))[job_id]


async def statuses(runtime: Runtime, job_id: str) -> list[PrintJobStatus]:
    """The states that the job went through."""
    return [step.status for step in await history(runtime, job_id)]


async def at_the_shop(runtime: Runtime, job_id: str) -> list[OfflineShopJob]:
    """What the shop has been told to print under this id."""
    async with runtime.database.read() as session:
        return list(await session.scalars(select(OfflineShopJob).where(OfflineShopJob.external_id == job_id)))


async def outbox(runtime: Runtime, job_id: str, name: str) -> list[dict[str, Any]]:
    """The payloads of this kind of message about the job, oldest first."""
    table = runtime.metadata.tables["print.outbox"]
    async with runtime.database.read() as session:
        rows = await session.execute(
            select(table.c.payload)
            .where(table.c.name == name, table.c.payload["print_job_id"].astext == job_id)
            .order_by(table.c.id)
        )
        return [row.payload for row in rows]
