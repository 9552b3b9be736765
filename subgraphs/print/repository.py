"""All SQL of the print domain. Whatever belongs to a parent is read with the parent's id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from subgraphs.common.database import group_by
from subgraphs.common.errors import require_found
from subgraphs.common.pagination import Page, PageRequest, build_page
from subgraphs.print.models import OfflineShopJob, PrintJob, PrintJobTransition


async def load_jobs(session: AsyncSession, owner_id: str, ids: Sequence[str]) -> dict[str, PrintJob]:
    """Load an owner's print jobs by id."""
    rows = await session.scalars(select(PrintJob).where(PrintJob.owner_id == owner_id, PrintJob.id.in_(ids)))
    return {row.id: row for row in rows}


async def load_jobs_of_orders(
    session: AsyncSession, owner_id: str, order_ids: Sequence[str]
) -> dict[str, PrintJob]:
    """Load an owner's print jobs by order."""
    rows = await session.scalars(
        select(PrintJob).where(PrintJob.owner_id == owner_id, PrintJob.order_id.in_(order_ids))
    )
    return {row.order_id: row for row in rows}


async def load_transitions_of_jobs(
    session: AsyncSession, job_ids: Sequence[str]
) -> dict[str, list[PrintJobTransition]]:
    """Load the transitions of each print job, oldest first."""
    rows = await session.scalars(
        select(PrintJobTransition)
        .where(PrintJobTransition.print_job_id.in_(job_ids))
        .order_by(PrintJobTransition.sequence)
    )
    return group_by(rows, lambda row: row.print_job_id)


async def list_jobs(session: AsyncSession, request: PageRequest) -> Page[PrintJob]:
    """List a page of the print jobs of all owners, newest first."""
    query = select(PrintJob).order_by(PrintJob.id.desc()).limit(request.first + 1)
    if request.after is not None:
        query = query.where(PrintJob.id < request.after)
    return build_page((await session.scalars(query)).all(), request)


async def get_any_job(session: AsyncSession, job_id: str) -> PrintJob:
    """Get a print job of any owner, for a task; NotFound when there is none."""
    row = await session.get(PrintJob, job_id)
    return require_found("PrintJob", job_id, row)


async def lock_any_job(session: AsyncSession, job_id: str) -> PrintJob:
    """Lock a print job of any owner, for a task; NotFound when there is none."""
    row = await session.scalar(select(PrintJob).where(PrintJob.id == job_id).with_for_update())
    return require_found("PrintJob", job_id, row)


async def lock_job_of_order(session: AsyncSession, order_id: str) -> PrintJob | None:
    """Lock the print job of an order of any owner, for a task; None when it has none."""
    job: PrintJob | None = await session.scalar(
        select(PrintJob).where(PrintJob.order_id == order_id).with_for_update()
    )
    return job


async def add_job(session: AsyncSession, values: Mapping[str, Any]) -> PrintJob | None:
    """Insert a print job, locked until the transaction ends; None when its order already has one.

    If another open transaction has inserted one for the same order, this waits for it to end.
    """
    job: PrintJob | None = await session.scalar(
        insert(PrintJob)
        .values(values)
        .on_conflict_do_nothing(index_elements=[PrintJob.order_id])
        .returning(PrintJob)
    )
    return job


async def find_shop_job(session: AsyncSession, reference: str) -> OfflineShopJob | None:
    """Find a job of the offline shop by the shop's own reference."""
    return await session.get(OfflineShopJob, reference)


async def find_shop_job_by_external_id(session: AsyncSession, external_id: str) -> OfflineShopJob | None:
    """Find a job of the offline shop by our id; the earliest, if there are several."""
    job: OfflineShopJob | None = await session.scalar(
        select(OfflineShopJob)
        .where(OfflineShopJob.external_id == external_id)
        .order_by(OfflineShopJob.accepted_at)
        .limit(1)
    )
    return job
