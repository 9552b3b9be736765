"""The run of a generation."""

from __future__ import annotations

import asyncio

from subgraphs.ai import repository
from subgraphs.ai.pipeline import runner
from subgraphs.ai.pipeline.book_writer import BookWriter
from subgraphs.ai.providers.registry import ILLUSTRATORS, WRITERS
from subgraphs.common.runtime import Runtime


async def find_owner(runtime: Runtime, generation_id: str) -> str | None:
    """Find the parent whose generation it is; None when it has been deleted."""
    async with runtime.database.read() as session:
        generation = await repository.find_any_generation(session, generation_id)
    return generation.owner_id if generation else None


async def run_generation(
    runtime: Runtime, books: BookWriter, generation_id: str, draining: asyncio.Event
) -> None:
    """Run the steps of a generation that are not finished, with the providers that it began with.

    ProviderNotConfigured when one of them is gone, Drained when `draining` is set before the end. A deleted
    generation has nothing to run.
    """
    async with runtime.database.read() as session:
        generation = await repository.find_any_generation(session, generation_id)
    if generation is None:
        return
    async with (
        WRITERS.open(runtime, generation.writer) as writer,
        ILLUSTRATORS.open(runtime, generation.illustrator) as illustrator,
    ):
        await runner.run_generation(runtime, writer, illustrator, books, generation_id, draining)
