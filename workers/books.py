"""Tasks of the books domain: typesetting print files and deleting stored files."""

from __future__ import annotations

from subgraphs.books import jobs, service
from workers import queues
from workers.platform import Platform
from workers.registry import task


@task(jobs.TypesetSnapshot, queue="print")
async def typeset_snapshot(platform: Platform, job: jobs.TypesetSnapshot) -> None:
    """Typeset the print files of an approved book; existing files are kept."""
    await service.typeset_snapshot(platform.books, job.snapshot_id)


@task(jobs.DeleteFiles, queue=queues.DEFAULT)
async def delete_files(platform: Platform, job: jobs.DeleteFiles) -> None:
    """Delete files from the object store; missing ones are ignored."""
    await service.delete_files(platform.books, job.keys)
