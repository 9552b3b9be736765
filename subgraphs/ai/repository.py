"""All SQL of the ai domain. Whatever belongs to a parent is read with the parent's id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from subgraphs.ai.models import (
    PICTURE_STEPS,
    Generation,
    GenerationEvent,
    GenerationKind,
    GenerationStep,
    StepKind,
    StepStatus,
    build_picture_key,
)
from subgraphs.ai.states import GENERATION_STATES
from subgraphs.common.ownership import Owned
from subgraphs.common.pagination import Page, PageRequest, load_pages
from subgraphs.common.rows import load_by, load_groups, load_values

_OWNER_LOCK_SEED: Final = 1
"""The hash seed of advisory locks on owners."""
_ACTIVE = Generation.status.in_(sorted(GENERATION_STATES.active))

_GENERATIONS = Owned(Generation, Generation.owner_id)
_STEPS = _GENERATIONS.extend_to(GenerationStep, GenerationStep.generation_id)

load_generations, get_generation, lock_generation = _GENERATIONS.load, _GENERATIONS.get, _GENERATIONS.lock
load_steps = _STEPS.load


async def load_steps_of_generations(
    session: AsyncSession, generation_ids: Sequence[str]
) -> dict[str, list[GenerationStep]]:
    """Load all steps of each generation, in their order."""
    in_order = select(GenerationStep).order_by(GenerationStep.generation_id, GenerationStep.position)
    return await load_groups(session, in_order, GenerationStep.generation_id, generation_ids)


async def load_newest_generations_of_books(
    session: AsyncSession, owner_id: str, book_ids: Sequence[str]
) -> dict[str, Generation]:
    """Load the owner's newest generation of each book, by book."""
    newest = _GENERATIONS.select(owner_id).ext(distinct_on(Generation.book_id))
    newest = newest.order_by(Generation.book_id, Generation.id.desc())
    return await load_by(session, newest, Generation.book_id, book_ids)


async def load_generations_of_books(
    session: AsyncSession, owner_id: str, book_ids: Sequence[str], request: PageRequest
) -> dict[str, Page[Generation]]:
    """Load the same page of the owner's generations of each book, newest first."""
    return await load_pages(session, _GENERATIONS.select(owner_id), Generation.book_id, book_ids, request)


async def load_page_numbers(session: AsyncSession, generation_id: str) -> dict[str, int]:
    """Load the numbers of the pages that a generation works on, by page id."""
    rows = await session.execute(
        select(GenerationStep.page_id, GenerationStep.page_number).where(
            GenerationStep.generation_id == generation_id
        )
    )
    return {page_id: number for page_id, number in rows if page_id and number}


async def lock_any_generation(session: AsyncSession, generation_id: str) -> Generation | None:
    """Lock a generation of any owner, for a task; None when it has been deleted."""
    return await session.scalar(select(Generation).where(Generation.id == generation_id).with_for_update())


async def lock_owner(session: AsyncSession, owner_id: str) -> None:
    """Serialise decisions about a parent's generations until the transaction ends."""
    await session.execute(
        select(func.pg_advisory_xact_lock(func.hashtextextended(owner_id, _OWNER_LOCK_SEED)))
    )


async def list_active_generations(session: AsyncSession, owner_id: str) -> Sequence[Generation]:
    """List the active generations of a parent."""
    rows = await session.scalars(_GENERATIONS.select(owner_id).where(_ACTIVE))
    return rows.all()


async def lock_active_generations(session: AsyncSession, owner_id: str) -> Sequence[Generation]:
    """Lock the active generations of a parent, in the order of their ids."""
    rows = await session.scalars(
        select(Generation)
        .where(Generation.owner_id == owner_id, _ACTIVE)
        .order_by(Generation.id)
        .with_for_update()
    )
    return rows.all()


async def count_generations(session: AsyncSession, book_id: str, kind: GenerationKind) -> int:
    """Count the generations of a kind that a book has had."""
    found = await session.scalar(
        select(func.count()).where(Generation.book_id == book_id, Generation.kind == kind)
    )
    return found or 0


async def count_takes(session: AsyncSession, book_id: str, page_id: str) -> int:
    """Count the generations that have worked on a page of a book."""
    found = await session.scalar(
        select(func.count(GenerationStep.generation_id.distinct()))
        .join(Generation)
        .where(Generation.book_id == book_id, GenerationStep.page_id == page_id)
    )
    return found or 0


async def find_newest_outline(session: AsyncSession, owner_id: str, book_id: str) -> GenerationStep | None:
    """Find the step that wrote the current outline of an owner's book."""
    return await session.scalar(
        _STEPS.select(owner_id)
        .where(
            Generation.book_id == book_id,
            GenerationStep.kind == StepKind.OUTLINE,
            GenerationStep.status == StepStatus.DONE,
        )
        .order_by(GenerationStep.generation_id.desc())
        .limit(1)
    )


async def find_any_generation(session: AsyncSession, generation_id: str) -> Generation | None:
    """Find a generation of any owner, for a task; None when it has been deleted."""
    return await session.get(Generation, generation_id)


async def find_lease(session: AsyncSession, generation_id: str) -> int | None:
    """Find the lease of a generation; None when it has been deleted or has ended."""
    return await session.scalar(select(Generation.lease).where(Generation.id == generation_id, _ACTIVE))


async def list_events(session: AsyncSession, generation_id: str, after: int) -> Sequence[GenerationEvent]:
    """List the durable events of a generation after a sequence number, oldest first."""
    rows = await session.scalars(
        select(GenerationEvent)
        .where(GenerationEvent.generation_id == generation_id, GenerationEvent.sequence > after)
        .order_by(GenerationEvent.sequence)
    )
    return rows.all()


async def load_last_sequences(session: AsyncSession, generation_ids: Sequence[str]) -> dict[str, int]:
    """Load the number of each generation's newest durable event."""
    return await load_values(session, Generation.id, Generation.last_sequence, generation_ids)


async def skip_open_steps(session: AsyncSession, generation_id: str) -> None:
    """Mark the steps of a generation that have not ended as skipped."""
    await session.execute(
        update(GenerationStep)
        .where(
            GenerationStep.generation_id == generation_id,
            GenerationStep.status.in_([StepStatus.PENDING, StepStatus.RUNNING]),
        )
        .values(status=StepStatus.SKIPPED)
    )


async def list_picture_keys_of_child(session: AsyncSession, child_id: str) -> Sequence[str]:
    """List the storage keys of all pictures that may have been stored for a child, of any attempt."""
    rows = await session.execute(
        select(GenerationStep.id, GenerationStep.attempts)
        .join(Generation)
        .where(Generation.child_id == child_id, GenerationStep.kind.in_(PICTURE_STEPS))
    )
    return [build_picture_key(id_, attempt + 1) for id_, attempts in rows for attempt in range(attempts)]


async def delete_generations_of_child(session: AsyncSession, child_id: str) -> Sequence[str]:
    """Delete every generation made for a child; return their ids."""
    rows = await session.scalars(
        delete(Generation).where(Generation.child_id == child_id).returning(Generation.id)
    )
    return rows.all()


async def save_step(session: AsyncSession, step: GenerationStep) -> None:
    """Update a step's row with the values of the object."""
    changes = {
        column.key: getattr(step, column.key)
        for column in GenerationStep.__table__.columns
        if not column.primary_key
    }
    await session.execute(update(GenerationStep).where(GenerationStep.id == step.id).values(changes))
