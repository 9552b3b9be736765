"""A generation is continued by the provider that it began with."""

import pytest

from subgraphs.ai import repository, service
from subgraphs.ai.providers.registry import PROVIDERS
from subgraphs.common.ids import new_id
from subgraphs.common.providers import ProviderNotConfigured
from subgraphs.common.runtime import Runtime
from tests.subgraphs.ai.library import CountingStudio, FakeBookWriter, Parent
from tests.support.providers import use_provider


async def test_a_generation_waits_for_its_provider_and_no_other_continues_it(
    runtime: Runtime, parent: Parent
) -> None:
    generation = await parent.generate(new_id("book"))
    assert generation["provider"] == "offline"
    async with runtime.unit_of_work() as uow:
        row = await repository.lock_any_generation(uow.session, generation["id"])
        assert row is not None
        row.provider = "elsewhere"
    books = FakeBookWriter()

    with pytest.raises(ProviderNotConfigured, match="The story provider 'elsewhere' is not configured"):
        await service.run_generation(runtime, books, generation["id"])
    assert (await parent.read(generation["id"]))["status"] == "QUEUED"

    elsewhere, offline = CountingStudio(), CountingStudio()
    with use_provider(PROVIDERS, elsewhere, "elsewhere"), use_provider(PROVIDERS, offline):
        await service.run_generation(runtime, books, generation["id"])
    assert (await parent.read(generation["id"]))["status"] == "COMPLETED"
    assert len(elsewhere.calls) == 1 + 14 + 15
    assert offline.calls == []


async def test_a_generation_that_was_deleted_leaves_nothing_to_run(runtime: Runtime) -> None:
    await service.run_generation(runtime, FakeBookWriter(), new_id("gen"))
