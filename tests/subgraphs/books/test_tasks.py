"""The tasks of the books domain, which may run repeatedly."""

from collections.abc import AsyncIterator, Mapping

import pytest

from subgraphs.books import jobs, service
from subgraphs.common.errors import NotFound
from subgraphs.common.runtime import Runtime
from subgraphs.domains import DOMAINS
from tests.subgraphs.books.library import Parent, store_picture
from tests.support.subgraph import build_settings
from workers import books as tasks
from workers.platform import Platform, open_platform


@pytest.fixture
async def platform(servers: Mapping[str, str]) -> AsyncIterator[Platform]:
    async with open_platform({domain: build_settings(domain, servers) for domain in DOMAINS}) as opened:
        yield opened


async def test_an_approved_book_is_typeset_by_its_job(
    parent: Parent, runtime: Runtime, platform: Platform
) -> None:
    snapshot = await parent.approve(await parent.create_finished_book())
    job = jobs.TypesetSnapshot(snapshot["id"])
    for _ in range(2):
        await tasks.typeset_snapshot(platform, job)
    files = await service.get_print_files(runtime, snapshot["id"])
    content = await runtime.storage.get(files.interior.storage_key)
    assert len(content) == files.interior.size


async def test_files_are_deleted_by_their_job(runtime: Runtime, platform: Platform) -> None:
    picture = await store_picture(runtime, 1)
    job = jobs.DeleteFiles((picture.storage_key, "illustrations/never-there.png"))
    for _ in range(2):
        await tasks.delete_files(platform, jobs.DeleteFiles.read(job.payload()))
    with pytest.raises(NotFound):
        await runtime.storage.get(picture.storage_key)
