"""Deletion of everything that was generated for a child."""

from __future__ import annotations

from subgraphs.ai import repository
from subgraphs.ai.pipeline.journal import build_stream_key
from subgraphs.common.runtime import Runtime


async def delete_generations_of_child(runtime: Runtime, child_id: str) -> None:
    """Delete all generations for a child, with their requests, results, pictures and live events."""
    async with runtime.database.read() as session:
        files = await repository.list_picture_keys_of_child(session, child_id)
    await runtime.storage.delete(list(files))
    async with runtime.unit_of_work() as uow:
        generation_ids = await repository.delete_generations_of_child(uow.session, child_id)
    for generation_id in generation_ids:
        await runtime.live.delete(build_stream_key(generation_id))
