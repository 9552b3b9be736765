"""When a child is deleted, the ai domain deletes what it generated for them."""

from contextlib import aclosing

import pytest
from arq.connections import ArqRedis
from sqlalchemy import func, select

from subgraphs.ai.jobs import DeleteGenerationsOfChild
from subgraphs.ai.models import Generation, GenerationEvent, GenerationStep, StepKind
from subgraphs.ai.pipeline.runner import run_generation
from subgraphs.ai.providers.offline.studio import OfflineIllustrator, OfflineWriter
from subgraphs.common.errors import NotFound
from tests.workers import generation_runs
from workers.ai import BookWriterAdapter, delete_generations_of_child
from workers.platform import Platform


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
        await run_generation(platform.ai, OfflineWriter(2000), OfflineIllustrator(), books, generation_id)
    files = {
        child_id: [
            step.result["storage_key"]
            for step in await generation_runs.read_steps(platform, generation_id)
            if step.result and step.kind in {StepKind.COVER, StepKind.ILLUSTRATION}
        ]
        for child_id, generation_id in generations.items()
    }
    assert len(files[deleted.child_id]) == 15
    for _ in range(2):
        await delete_generations_of_child(platform, DeleteGenerationsOfChild(deleted.child_id))

    async with platform.ai.database.read() as session:
        assert await session.get(Generation, generations[deleted.child_id]) is None
        assert await session.get(Generation, generations[kept.child_id]) is not None
        for table in (GenerationStep, GenerationEvent):
            left = select(func.count()).where(table.generation_id == generations[deleted.child_id])
            assert await session.scalar(left) == 0
    assert await platform.ai.redis.exists(f"live:generation:{generations[deleted.child_id]}") == 0
    for key in files[deleted.child_id]:
        with pytest.raises(NotFound):
            await platform.ai.storage.get(key)
    for key in files[kept.child_id]:
        assert await platform.ai.storage.get(key)
    async with aclosing(generation_runs.follow_events(platform, generations[kept.child_id])) as events:
        assert [event.kind async for event in events][-1] == "GenerationCompleted"
