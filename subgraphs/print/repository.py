"""All SQL of the print domain. Whatever belongs to a parent is read with the parent's id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from subgraphs.common.errors import require_found
from subgraphs.common.ownership import Owned
from subgraphs.common.pagination import Page, PageRequest, load_page
from subgraphs.common.rows import load_by, load_groups
from subgraphs.print.models import OfflineShopJob, PrintJob, PrintJobTransition

_JOBS = Owned(PrintJob, PrintJob.owner_id)

load_jobs = _JOBS.load
get_any_job, lock_any_job = _JOBS.get_any, _JOBS.lock_any


async def load_jobs_of_orders(
    session: AsyncSession, owner_id: str, order_ids: Sequence[str]
) -> dict[str, PrintJob]:
    """Load an owner's print jobs by order."""
    return await load_by(session, _JOBS.select(owner_id), PrintJob.order_id, order_ids)


async def load_transitions_of_jobs(
    session: AsyncSession, job_ids: Sequence[str]
) -> dict[str, list[PrintJobTransition]]:
    """Load the transitions of each print job, oldest first."""
    in_order = select(PrintJobTransition).order_by(PrintJobTransition.sequence)
    return await load_groups(session, in_order, PrintJobTransition.print_job_id, job_ids)


async def list_jobs(session: AsyncSession, request: PageRequest) -> Page[PrintJob]:
    """List a page of the print jobs of all owners, newest first."""
    return await load_page(session, select(PrintJob), PrintJob.id, request)


async def lock_job_of_order(session: AsyncSession, order_id: str) -> PrintJob:
    """Lock the print job of an order of any owner, for a task; NotFound when it has none."""
    job = await session.scalar(select(PrintJob).where(PrintJob.order_id == order_id).with_for_update())
    return require_found("PrintJob", order_id, job)


async def find_any_job(session: AsyncSession, provider: str, reference: str) -> PrintJob | None:
    """Find a print job, of any owner, by its shop's reference."""
    return await session.scalar(
        select(PrintJob).where(PrintJob.provider == provider, PrintJob.provider_reference == reference)
    )


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
