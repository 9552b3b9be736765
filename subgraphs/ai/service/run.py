"""The run of a generation."""

from __future__ import annotations

from subgraphs.ai.domain import Settings
from subgraphs.ai.pipeline import runner
from subgraphs.ai.pipeline.book_writer import BookWriter
from subgraphs.ai.providers.choice import open_provider
from subgraphs.common.runtime import Runtime


async def run_generation(runtime: Runtime, books: BookWriter, generation_id: str) -> None:
    """Run the steps of a generation that are not finished."""
    async with open_provider(runtime.get_settings(Settings)) as provider:
        await runner.run_generation(runtime, provider, books, generation_id)
