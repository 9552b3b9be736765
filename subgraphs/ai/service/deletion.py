"""Deletion of everything that was generated for a child."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from subgraphs.ai import repository
from subgraphs.ai.jobs import DeletePictures
from subgraphs.ai.pipeline.journal import EVENT_ROWS
from subgraphs.common.runtime import Runtime

_LAST_CALLS: Final = timedelta(minutes=15)
"""Longer than a call of a provider that began before the deletion can take."""


async def delete_generations_of_child(runtime: Runtime, child_id: str) -> None:
    """Delete all generations for a child, with their requests, results and live events, then the pictures.

    A runner may be about to store one more picture, so they are deleted once more later.
    """
    async with runtime.unit_of_work() as uow:
        keys = tuple(await repository.list_picture_keys_of_child(uow.session, child_id))
        generation_ids = await repository.delete_generations_of_child(uow.session, child_id)
        if keys:
            await uow.enqueue(DeletePictures(keys), owner_id=None)
            await uow.enqueue(DeletePictures(keys), owner_id=None, delay=_LAST_CALLS)
    for generation_id in generation_ids:
        await runtime.live.delete(EVENT_ROWS.build_key(generation_id))


async def delete_pictures(runtime: Runtime, keys: Sequence[str]) -> None:
    """Delete pictures from the object store; missing ones are ignored."""
    await runtime.storage.delete(list(keys))
