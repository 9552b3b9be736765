"""The tasks of the books domain, which may run repeatedly."""

from collections.abc import AsyncIterator, Mapping

import pytest

from subgraphs.books import jobs, repository
from subgraphs.books.models import RenditionKind
from subgraphs.common.errors import NotFound
from subgraphs.common.runtime import Runtime
from subgraphs.domains import DOMAINS
from tests.subgraphs.books.library import Parent, store_picture
from tests.subgraphs.books.messages import read_messages
from tests.support.subgraph import build_settings
from workers import books as tasks
from workers.platform import Platform, open_platform


@pytest.fixture
async def platform(servers: Mapping[str, str]) -> AsyncIterator[Platform]:
    async with open_platform({domain: build_settings(domain, servers) for domain in DOMAINS}) as opened:
        yield opened


async def test_the_renditions_of_an_approved_book_are_made_by_its_jobs(
    parent: Parent, runtime: Runtime, platform: Platform
) -> None:
    snapshot = await parent.approve(await parent.create_finished_book())
    payloads = await read_messages(runtime, "MakeRendition", snapshot_id=snapshot["id"])
    for payload in payloads * 2:
        await tasks.make_rendition(platform, jobs.MakeRendition.read(payload))
    async with runtime.database.read() as session:
        made = (await repository.load_renditions_of_snapshots(session, [snapshot["id"]]))[snapshot["id"]]
    assert set(made) == set(RenditionKind)
    for rendition in made.values():
        assert len(await runtime.storage.get(rendition.storage_key)) == rendition.size


async def test_files_are_deleted_by_their_job(runtime: Runtime, platform: Platform) -> None:
    picture = await store_picture(runtime, 1)
    job = jobs.DeleteFiles((picture.storage_key, "illustrations/never-there.png"))
    for _ in range(2):
        await tasks.delete_files(platform, jobs.DeleteFiles.read(job.to_payload()))
    with pytest.raises(NotFound):
        await runtime.storage.get(picture.storage_key)
