"""Tasks of the ai domain: running generations and writing their results into books."""

from __future__ import annotations

from collections.abc import Mapping

from subgraphs.ai import jobs, service
from subgraphs.ai.pipeline.runner import run_generation
from subgraphs.ai.pipeline.shelf import StoredPicture
from subgraphs.ai.providers.choice import open_provider
from subgraphs.ai.providers.protocol import Outline
from subgraphs.books import service as books
from subgraphs.books.events import ChildDeleted
from subgraphs.common.runtime import Runtime
from workers.platform import Platform
from workers.registry import on, task


class BookShelf:
    """The shelf that a generation writes to: the books domain."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def room(self, book_id: str) -> Mapping[str, int]:
        """How many characters certainly fit on each page, by the page's id."""
        async with self._runtime.database.read() as session:
            story = await books.story_context(session, book_id)
        return {page.id: page.maximum_characters for page in story.pages}

    async def put_outline(self, book_id: str, outline: Outline, key: str) -> None:
        """Write the title, the blurb and the pages around the story."""
        frame = books.BookOutline(
            title=outline.title,
            subtitle=outline.subtitle,
            blurb=outline.blurb,
            dedication=outline.dedication,
            closing=outline.closing,
        )
        async with self._runtime.unit_of_work() as uow:
            await books.apply_outline(uow, book_id, frame, key)

    async def put_text(self, page_id: str, text: str, key: str) -> None:
        """Write the text of a page."""
        async with self._runtime.unit_of_work() as uow:
            await books.apply_page_text(uow, page_id, text, key)

    async def put_picture(self, book_id: str, page_id: str | None, picture: StoredPicture, key: str) -> str:
        """Put a picture on a page, or on the cover; return the id of the illustration."""
        target = books.IllustrationTarget(book_id, page_id)
        stored = books.Picture(
            storage_key=picture.storage_key,
            sha256=picture.sha256,
            width=picture.width,
            height=picture.height,
            alt_text=picture.alt_text,
        )
        async with self._runtime.unit_of_work() as uow:
            return await books.apply_illustration(uow, target, key, stored)

    async def finish(self, book_id: str, key: str) -> None:
        """Hand the book over to the parent."""
        async with self._runtime.unit_of_work() as uow:
            await books.finish_generation(uow, book_id, key)


@task(jobs.GenerateBook)
async def generate_book(platform: Platform, job: jobs.GenerateBook) -> None:
    """Run a generation, resuming from its last finished step."""
    async with open_provider(platform.ai.settings) as provider:
        await run_generation(platform.ai, provider, BookShelf(platform.books), job.generation_id)


@on(ChildDeleted, consumer="ai.forget_child")
async def forget_child(platform: Platform, event: ChildDeleted, _: str) -> None:
    """Delete everything generated for a deleted child."""
    await service.forget_child(platform.ai, event.child_id)
