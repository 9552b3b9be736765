"""Tasks of the ai domain: running generations and writing their results into books."""

from __future__ import annotations

from collections.abc import Mapping

from subgraphs.ai import jobs, service
from subgraphs.ai.pipeline.book_writer import StoredPicture
from subgraphs.ai.providers.story import Outline
from subgraphs.auth import service as auth
from subgraphs.auth.events import ConsentRevoked
from subgraphs.books import service as books
from subgraphs.books.events import ChildDeleted
from subgraphs.common.consent import ConsentPurpose
from subgraphs.common.runtime import Runtime
from subgraphs.common.unit_of_work import UnitOfWork
from workers import queues
from workers.platform import Platform
from workers.registry import on, task


class BookWriterAdapter:
    """The book writer of a generation, which calls the use cases of the books domain."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def get_max_lengths(self, book_id: str) -> Mapping[str, int]:
        """Get the number of characters that certainly fit on each page, by page id."""
        story = await books.get_story(self._runtime, book_id)
        return {page.id: page.maximum_characters for page in story.pages}

    async def put_outline(self, book_id: str, outline: Outline, key: str) -> None:
        """Write the title, the blurb and the pages around the story."""
        texts = books.BookOutline(
            title=outline.title,
            subtitle=outline.subtitle,
            blurb=outline.blurb,
            dedication=outline.dedication,
            closing=outline.closing,
        )
        await books.apply_outline(self._runtime, book_id, texts, key)

    async def put_text(self, page_id: str, text: str, key: str) -> None:
        """Write the text of a page."""
        await books.apply_page_text(self._runtime, page_id, text, key)

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
        return await books.apply_illustration(self._runtime, target, key, stored)

    async def finish(self, book_id: str, key: str) -> None:
        """Mark the book as ready."""
        await books.finish_generation(self._runtime, book_id, key)


@task(jobs.GenerateBook, queue="ai")
async def generate_book(platform: Platform, job: jobs.GenerateBook) -> None:
    """Run a generation, resuming from its last finished step, while its parent's consent is in force.

    The consent may have been revoked after the request for the generation was checked, but before there was
    a generation to cancel.
    """
    owner_id = await service.find_owner(platform.ai, job.generation_id)
    if owner_id and not await auth.has_consent(platform.auth, owner_id, ConsentPurpose.AI_PROCESSING):
        async with platform.ai.unit_of_work() as uow:
            await service.cancel_generations_of_owner(platform.ai, uow, owner_id)
        return
    books_of_domain = BookWriterAdapter(platform.books)
    await service.run_generation(platform.ai, books_of_domain, job.generation_id, platform.draining)


@task(jobs.DeleteGenerationsOfChild, queue=queues.DEFAULT)
async def delete_generations_of_child(platform: Platform, job: jobs.DeleteGenerationsOfChild) -> None:
    """Delete everything generated for a deleted child."""
    await service.delete_generations_of_child(platform.ai, job.child_id)


@task(jobs.DeletePictures, queue=queues.DEFAULT)
async def delete_pictures(platform: Platform, job: jobs.DeletePictures) -> None:
    """Delete the pictures of a deleted child; missing ones are ignored."""
    await service.delete_pictures(platform.ai, job.keys)


@on(ChildDeleted, domain="ai")
async def forget_child(_: Platform, uow: UnitOfWork, event: ChildDeleted) -> None:
    """Enqueue the deletion of everything that was generated for a deleted child."""
    await uow.enqueue(jobs.DeleteGenerationsOfChild(event.child_id), owner_id=event.owner_id)


@on(ConsentRevoked, domain="ai")
async def stop_generations(platform: Platform, uow: UnitOfWork, event: ConsentRevoked) -> None:
    """Cancel the generations of a parent without consent to the use of AI, which has been revoked.

    Another version of the policy may still be consented to, or this one again before the event arrived.
    """
    purpose = ConsentPurpose.AI_PROCESSING
    if event.purpose == purpose and not await auth.has_consent(platform.auth, event.user_id, purpose):
        await service.cancel_generations_of_owner(platform.ai, uow, event.user_id)
