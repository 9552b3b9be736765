"""The tasks of the books domain: typesetting, and deletion of files."""

from __future__ import annotations

from subgraphs.books import jobs, service
from workers.platform import Platform
from workers.registry import task


@task(jobs.TypesetSnapshot)
async def typeset_snapshot(platform: Platform, job: jobs.TypesetSnapshot) -> None:
    """Make the print files of an approved book; those that are there already are left as they are."""
    await service.typeset_snapshot(platform.books, job.snapshot_id)


@task(jobs.DeleteFiles)
async def delete_files(platform: Platform, job: jobs.DeleteFiles) -> None:
    """Remove files from the store; those that are gone already are passed over."""
    await service.delete_files(platform.books, job.keys)
