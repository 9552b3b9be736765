"""Forgetting a child."""

from __future__ import annotations

from subgraphs.ai import repository
from subgraphs.ai.pipeline.journal import stream_key
from subgraphs.common.runtime import Runtime


async def forget_child(runtime: Runtime, child_id: str) -> None:
    """Delete every generation made for a child, with its requests, results and live events."""
    async with runtime.unit_of_work() as uow:
        generation_ids = await repository.delete_generations_of_child(uow.session, child_id)
    if generation_ids:
        await runtime.redis.delete(*(f"live:{stream_key(id)}" for id in generation_ids))
