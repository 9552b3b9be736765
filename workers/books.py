"""Tasks of the books domain: making renditions and deleting stored files."""

from __future__ import annotations

from subgraphs.books import jobs, service
from subgraphs.books.models import RenditionKind
from workers import queues
from workers.platform import Platform
from workers.registry import task


@task(jobs.MakeRendition, queue="print")
async def make_rendition(platform: Platform, job: jobs.MakeRendition) -> None:
    """Make a rendition of an approved book; an existing one is kept."""
    await service.make_rendition(platform.books, job.snapshot_id, RenditionKind(job.kind))


@task(jobs.DeleteFiles, queue=queues.DEFAULT)
async def delete_files(platform: Platform, job: jobs.DeleteFiles) -> None:
    """Delete files from the object store; missing ones are ignored."""
    await service.delete_files(platform.books, job.keys)
