"""The run of a generation."""

from __future__ import annotations

from subgraphs.ai import repository
from subgraphs.ai.pipeline import runner
from subgraphs.ai.pipeline.book_writer import BookWriter
from subgraphs.ai.providers.registry import PROVIDERS
from subgraphs.common.runtime import Runtime


async def run_generation(runtime: Runtime, books: BookWriter, generation_id: str) -> None:
    """Run the steps of a generation that are not finished, with the provider that it began with.

    ProviderNotConfigured when that provider is gone. A deleted generation has nothing to run.
    """
    async with runtime.database.read() as session:
        provider_name = await repository.find_provider(session, generation_id)
    if provider_name is None:
        return
    async with PROVIDERS.open(runtime, provider_name) as provider:
        await runner.run_generation(runtime, provider, books, generation_id)
