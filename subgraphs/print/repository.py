"""All SQL of the print domain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from subgraphs.common.errors import NotFound
from subgraphs.common.pagination import Page, PageRequest
from subgraphs.print.models import OfflineShopJob, PrintJob, PrintJobTransition


async def add_job(session: AsyncSession, values: Mapping[str, Any]) -> PrintJob | None:
    """Add a print job, held until the transaction ends; none when its order has one.

    Where another transaction is just adding the order's job, its end is waited for.
    """
    added: PrintJob | None = await session.scalar(
        insert(PrintJob)
        .values(values)
        .on_conflict_do_nothing(index_elements=[PrintJob.order_id])
        .returning(PrintJob)
    )
    return added


async def lock_job(session: AsyncSession, job_id: str) -> PrintJob:
    """The job, held until the transaction ends; NotFound when there is none."""
    job = await session.scalar(select(PrintJob).where(PrintJob.id == job_id).with_for_update())
    if job is None:
        raise NotFound("PrintJob", job_id)
    return job


async def lock_job_of_order(session: AsyncSession, order_id: str) -> PrintJob | None:
    """An order's job, held until the transaction ends."""
    job: PrintJob | None = await session.scalar(
        select(PrintJob).where(PrintJob.order_id == order_id).with_for_update()
    )
    return job


async def get_job(session: AsyncSession, job_id: str) -> PrintJob:
    """The job for a task, whosever it is; NotFound when there is none."""
    job = await session.get(PrintJob, job_id)
    if job is None:
        raise NotFound("PrintJob", job_id)
    return job


async def jobs_by_id(session: AsyncSession, owner_id: str, ids: Sequence[str]) -> dict[str, PrintJob]:
    """The owner's jobs among these ids."""
    rows = await session.scalars(select(PrintJob).where(PrintJob.owner_id == owner_id, PrintJob.id.in_(ids)))
    return {job.id: job for job in rows}


async def jobs_by_order(
    session: AsyncSession, owner_id: str, order_ids: Sequence[str]
) -> dict[str, PrintJob]:
    """The jobs of those orders that belong to this owner."""
    rows = await session.scalars(
        select(PrintJob).where(PrintJob.owner_id == owner_id, PrintJob.order_id.in_(order_ids))
    )
    return {job.order_id: job for job in rows}


async def newest_jobs(session: AsyncSession, request: PageRequest) -> Page[PrintJob]:
    """A page of everybody's jobs."""
    query = select(PrintJob).order_by(PrintJob.id.desc()).limit(request.first + 1)
    if request.after is not None:
        query = query.where(PrintJob.id < request.after)
    rows = list(await session.scalars(query))
    kept = rows[: request.first]
    return Page(
        rows=kept,
        cursors=[job.id for job in kept],
        has_next=len(rows) > request.first,
        has_previous=request.after is not None,
    )


async def transitions(session: AsyncSession, job_ids: Sequence[str]) -> dict[str, list[PrintJobTransition]]:
    """The histories of jobs, oldest state first."""
    rows = await session.scalars(
        select(PrintJobTransition)
        .where(PrintJobTransition.print_job_id.in_(job_ids))
        .order_by(PrintJobTransition.sequence)
    )
    histories: defaultdict[str, list[PrintJobTransition]] = defaultdict(list)
    for row in rows:
        histories[row.print_job_id].append(row)
    return histories


async def shop_job(session: AsyncSession, reference: str) -> OfflineShopJob | None:
    """What the offline shop has under its own reference."""
    return await session.get(OfflineShopJob, reference)


async def shop_job_of(session: AsyncSession, external_id: str) -> OfflineShopJob | None:
    """What the offline shop has under our id; the first, should there be several."""
    job: OfflineShopJob | None = await session.scalar(
        select(OfflineShopJob)
        .where(OfflineShopJob.external_id == external_id)
        .order_by(OfflineShopJob.accepted_at)
        .limit(1)
    )
    return job
