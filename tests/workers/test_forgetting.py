"""When a child is deleted, the ai domain deletes what it generated for them."""

from contextlib import aclosing
from datetime import timedelta

import pytest
from arq.connections import ArqRedis
from sqlalchemy import func, select

from subgraphs.ai import repository
from subgraphs.ai.jobs import DeleteGenerationsOfChild, DeletePictures
from subgraphs.ai.models import (
    Generation,
    GenerationEvent,
    GenerationStep,
    StepKind,
    build_picture_key,
)
from subgraphs.ai.pipeline.runner import run_generation
from subgraphs.ai.providers.offline.studio import OfflineIllustrator, OfflineWriter
from subgraphs.common.errors import NotFound
from tests.workers import generation_runs
from workers.ai import BookWriterAdapter, delete_generations_of_child, delete_pictures
from workers.platform import Platform


async def store_picture_of_superseded_runner(platform: Platform, generation_id: str) -> str:
    """Store a picture that no row knows, as a runner does that has lost its lease; return its key."""
    async with platform.ai.unit_of_work() as uow:
        steps = (await repository.load_steps_of_generations(uow.session, [generation_id]))[generation_id]
        step = next(step for step in steps if step.kind is StepKind.COVER)
        step.attempts += 1
    key = build_picture_key(step.id, step.attempts)
    await platform.ai.storage.put(key, b"a picture")
    return key


async def read_deletions(platform: Platform) -> list[tuple[DeletePictures, timedelta]]:
    """The jobs that delete pictures, with their delays."""
    outbox = platform.ai.domain.get_table("outbox")
    async with platform.ai.database.read() as session:
        rows = await session.execute(
            select(outbox).where(outbox.c.name == DeletePictures.name()).order_by(outbox.c.id)
        )
        return [
            (DeletePictures.read(row.payload), (row.not_before or row.created_at) - row.created_at)
            for row in rows
        ]


async def test_everything_generated_for_a_deleted_child_is_deleted(
    platform: Platform, queue: ArqRedis
) -> None:
    deleted, kept = (
        await generation_runs.create_draft_book(platform),
        await generation_runs.create_draft_book(platform),
    )
    generations = {
        draft.child_id: await generation_runs.queue_book(platform, draft) for draft in (deleted, kept)
    }
    for generation_id in generations.values():
        books = BookWriterAdapter(platform.books)
        await run_generation(
            platform.ai, OfflineWriter(2000), OfflineIllustrator(), books, generation_id, platform.draining
        )
    files = {
        child_id: [
            step.result["storage_key"]
            for step in await generation_runs.read_steps(platform, generation_id)
            if step.result and step.kind in {StepKind.COVER, StepKind.ILLUSTRATION}
        ]
        for child_id, generation_id in generations.items()
    }
    assert len(files[deleted.child_id]) == 15
    stray = await store_picture_of_superseded_runner(platform, generations[deleted.child_id])
    for _ in range(2):
        await delete_generations_of_child(platform, DeleteGenerationsOfChild(deleted.child_id))
    jobs = await read_deletions(platform)
    assert [delay for _, delay in jobs] == [timedelta(), timedelta(minutes=15)]
    for job, _ in jobs:
        await delete_pictures(platform, job)

    async with platform.ai.database.read() as session:
        assert await session.get(Generation, generations[deleted.child_id]) is None
        assert await session.get(Generation, generations[kept.child_id]) is not None
        for table in (GenerationStep, GenerationEvent):
            left = select(func.count()).where(table.generation_id == generations[deleted.child_id])
            assert await session.scalar(left) == 0
    assert await platform.ai.redis.exists(f"live:generation:{generations[deleted.child_id]}") == 0
    for key in (*files[deleted.child_id], stray):
        with pytest.raises(NotFound):
            await platform.ai.storage.get(key)
    for key in files[kept.child_id]:
        assert await platform.ai.storage.get(key)
    async with aclosing(generation_runs.follow_events(platform, generations[kept.child_id])) as events:
        assert [event.kind async for event in events][-1] == "GenerationCompleted"
