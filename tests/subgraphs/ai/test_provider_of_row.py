"""A generation is continued by the writer and the illustrator that it began with."""

import asyncio

import pytest

from subgraphs.ai import repository, service
from subgraphs.ai.providers.ports import Usage
from subgraphs.ai.providers.registry import ILLUSTRATORS, WRITERS
from subgraphs.common.ids import new_id
from subgraphs.common.providers import ProviderNotConfigured
from subgraphs.common.runtime import Runtime
from tests.subgraphs.ai.library import FakeBookWriter, Parent
from tests.support.providers import use_provider
from tests.support.studio import RecordingStudio


async def name_provider(runtime: Runtime, generation_id: str, port: str, name: str) -> None:
    """Let a generation be one that began with another provider of a port."""
    async with runtime.unit_of_work() as uow:
        row = await repository.lock_any_generation(uow.session, generation_id)
        assert row is not None
        setattr(row, port, name)


@pytest.mark.parametrize("port", ["writer", "illustrator"])
async def test_a_generation_waits_for_its_provider_and_names_what_is_missing(
    runtime: Runtime, parent: Parent, port: str
) -> None:
    generation = await parent.generate(new_id("book"))
    await name_provider(runtime, generation["id"], port, "elsewhere")
    with pytest.raises(ProviderNotConfigured, match=f"The {port} 'elsewhere' is not configured"):
        await service.run_generation(runtime, FakeBookWriter(), generation["id"], asyncio.Event())
    assert (await parent.read(generation["id"]))["status"] == "QUEUED"


async def test_each_part_is_made_by_the_provider_that_the_row_names_and_no_other(
    runtime: Runtime, parent: Parent
) -> None:
    generation = await parent.generate(new_id("book"))
    assert generation["provider"] == "offline"
    await name_provider(runtime, generation["id"], "writer", "elsewhere")
    elsewhere, offline = RecordingStudio(), RecordingStudio()
    with (
        use_provider(WRITERS, elsewhere, "elsewhere"),
        use_provider(WRITERS, offline),
        use_provider(ILLUSTRATORS, offline),
        use_provider(ILLUSTRATORS, elsewhere, "elsewhere"),
    ):
        await service.run_generation(runtime, FakeBookWriter(), generation["id"], asyncio.Event())
    read = await parent.read(generation["id"])
    assert (read["status"], read["provider"]) == ("COMPLETED", "elsewhere, offline")
    assert [kind for kind, _ in elsewhere.calls] == ["outline", *["scene"] * 14]
    assert [kind for kind, _ in offline.calls] == ["picture"] * 15


async def test_a_generation_keeps_the_names_of_its_providers_and_what_its_moderation_used(
    runtime: Runtime, parent: Parent
) -> None:
    generation = await parent.generate(new_id("book"))
    async with runtime.database.read() as session:
        row = await repository.find_any_generation(session, generation["id"])
    assert row is not None
    assert (row.writer, row.illustrator, row.moderator) == ("offline", "offline", "offline")
    assert row.moderation_usage == Usage("offline").as_json()


async def test_a_generation_that_was_deleted_leaves_nothing_to_run(runtime: Runtime) -> None:
    await service.run_generation(runtime, FakeBookWriter(), new_id("gen"), asyncio.Event())
