"""All SQL of the ai domain. Reads on behalf of a client take the owner."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from subgraphs.ai.models import (
    Generation,
    GenerationEvent,
    GenerationKind,
    GenerationStatus,
    GenerationStep,
    StepKind,
    StepStatus,
)
from subgraphs.common.errors import NotFound
from subgraphs.common.pagination import Page, PageRequest, pages

_OWNERS: Final = 1
"""The hash seed of advisory locks on owners."""
_ACTIVE = Generation.status.in_([GenerationStatus.QUEUED, GenerationStatus.RUNNING])


async def generations_by_id(
    session: AsyncSession, owner_id: str, ids: Sequence[str]
) -> Mapping[str, Generation]:
    """The owner's generations among these ids."""
    rows = await session.scalars(
        select(Generation).where(Generation.id.in_(ids), Generation.owner_id == owner_id)
    )
    return {row.id: row for row in rows}


async def newest_of_books(
    session: AsyncSession, owner_id: str, book_ids: Sequence[str]
) -> Mapping[str, Generation]:
    """Each book's newest generation."""
    rows = await session.scalars(
        select(Generation)
        .where(Generation.book_id.in_(book_ids), Generation.owner_id == owner_id)
        .ext(distinct_on(Generation.book_id))
        .order_by(Generation.book_id, Generation.id.desc())
    )
    return {row.book_id: row for row in rows}


async def generations_of_books(
    session: AsyncSession, owner_id: str, book_ids: Sequence[str], request: PageRequest
) -> Mapping[str, Page[Generation]]:
    """The same page of each book's generations."""
    return await pages(
        session, Generation, Generation.book_id, book_ids, request, where=Generation.owner_id == owner_id
    )


async def steps_of(session: AsyncSession, ids: Sequence[str]) -> Mapping[str, list[GenerationStep]]:
    """The steps of generations, each generation's in order."""
    rows = await session.scalars(
        select(GenerationStep)
        .where(GenerationStep.generation_id.in_(ids))
        .order_by(GenerationStep.generation_id, GenerationStep.position)
    )
    grouped: defaultdict[str, list[GenerationStep]] = defaultdict(list)
    for row in rows:
        grouped[row.generation_id].append(row)
    return grouped


async def page_numbers(session: AsyncSession, generation_id: str) -> Mapping[str, int]:
    """The numbers of the pages that a generation works on, by their ids."""
    rows = await session.execute(
        select(GenerationStep.page_id, GenerationStep.page_number).where(
            GenerationStep.generation_id == generation_id
        )
    )
    return {page_id: number for page_id, number in rows if page_id and number}


async def steps_by_id(
    session: AsyncSession, owner_id: str, ids: Sequence[str]
) -> Mapping[str, GenerationStep]:
    """The owner's steps among these ids."""
    rows = await session.scalars(
        select(GenerationStep)
        .join(Generation)
        .where(GenerationStep.id.in_(ids), Generation.owner_id == owner_id)
    )
    return {row.id: row for row in rows}


async def get_generation(session: AsyncSession, owner_id: str, generation_id: str) -> Generation:
    """One generation of the owner's; NotFound when there is none."""
    found = await generations_by_id(session, owner_id, [generation_id])
    if generation_id not in found:
        raise NotFound("Generation", generation_id)
    return found[generation_id]


async def lock_generation(session: AsyncSession, generation_id: str) -> Generation | None:
    """A generation of any owner, locked until the transaction ends."""
    return await session.scalar(
        select(Generation)
        .where(Generation.id == generation_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


async def lock_owner(session: AsyncSession, owner_id: str) -> None:
    """Serialise decisions about a parent's generations until the transaction ends."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(owner_id, _OWNERS))))


async def active_of_owner(session: AsyncSession, owner_id: str) -> Sequence[Generation]:
    """The active generations of a parent."""
    rows = await session.scalars(select(Generation).where(Generation.owner_id == owner_id, _ACTIVE))
    return rows.all()


async def count_of(session: AsyncSession, book_id: str, kind: GenerationKind) -> int:
    """How many generations of a kind a book has had."""
    found = await session.scalar(
        select(func.count()).where(Generation.book_id == book_id, Generation.kind == kind)
    )
    return found or 0


async def count_takes(session: AsyncSession, book_id: str, page_id: str) -> int:
    """How many generations have worked on a page of a book."""
    found = await session.scalar(
        select(func.count(GenerationStep.generation_id.distinct()))
        .join(Generation)
        .where(Generation.book_id == book_id, GenerationStep.page_id == page_id)
    )
    return found or 0


async def newest_outline(session: AsyncSession, owner_id: str, book_id: str) -> GenerationStep | None:
    """The step that wrote the outline which a book follows."""
    return await session.scalar(
        select(GenerationStep)
        .join(Generation)
        .where(
            Generation.owner_id == owner_id,
            Generation.book_id == book_id,
            GenerationStep.kind == StepKind.OUTLINE,
            GenerationStep.status == StepStatus.DONE,
        )
        .order_by(GenerationStep.generation_id.desc())
        .limit(1)
    )


async def lease_of(session: AsyncSession, generation_id: str) -> int | None:
    """The lease of a generation; None when it is gone or has ended."""
    return await session.scalar(select(Generation.lease).where(Generation.id == generation_id, _ACTIVE))


async def events_after(session: AsyncSession, generation_id: str, after: int) -> Sequence[GenerationEvent]:
    """The durable events after a number, oldest first."""
    rows = await session.scalars(
        select(GenerationEvent)
        .where(GenerationEvent.generation_id == generation_id, GenerationEvent.sequence > after)
        .order_by(GenerationEvent.sequence)
    )
    return rows.all()


async def skip_open_steps(session: AsyncSession, generation_id: str) -> None:
    """Mark the open steps as skipped."""
    await session.execute(
        update(GenerationStep)
        .where(
            GenerationStep.generation_id == generation_id,
            GenerationStep.status.in_([StepStatus.PENDING, StepStatus.RUNNING]),
        )
        .values(status=StepStatus.SKIPPED)
    )


async def picture_files_of_child(session: AsyncSession, child_id: str) -> Sequence[str]:
    """The storage keys of all pictures that were drawn for a child."""
    rows = await session.scalars(
        select(GenerationStep.result["storage_key"].astext)
        .join(Generation)
        .where(Generation.child_id == child_id, GenerationStep.result.has_key("storage_key"))
    )
    return rows.all()


async def delete_generations_of_child(session: AsyncSession, child_id: str) -> Sequence[str]:
    """Delete every generation made for a child; return their ids."""
    rows = await session.scalars(
        delete(Generation).where(Generation.child_id == child_id).returning(Generation.id)
    )
    return rows.all()


async def save_step(session: AsyncSession, step: GenerationStep) -> None:
    """Write a step as it is in memory."""
    changes = {
        column.key: getattr(step, column.key)
        for column in GenerationStep.__table__.columns
        if not column.primary_key
    }
    await session.execute(update(GenerationStep).where(GenerationStep.id == step.id).values(changes))
