"""Approval of a book, which freezes exactly what will be printed."""

from __future__ import annotations

from collections.abc import Sequence

from subgraphs.books import jobs, repository
from subgraphs.books.content import BookContent, hash_content
from subgraphs.books.errors import BookConflict, BookIncomplete
from subgraphs.books.layouts import TITLE_PAGE, is_complete
from subgraphs.books.models import Book, BookStatus, Page, RenditionKind, Snapshot
from subgraphs.common.identity import Identity
from subgraphs.common.ids import new_id
from subgraphs.common.runtime import Runtime
from subgraphs.common.unit_of_work import UnitOfWork


async def approve_book(runtime: Runtime, parent: Identity, book_id: str, expected_version: int) -> Snapshot:
    """Approve a book as it is; the same content always has the same snapshot.

    BookConflict when the book is not at the expected version; BookIncomplete when a page lacks something.
    """
    parent.require("parent")
    async with runtime.unit_of_work() as uow:
        book = await repository.lock_book(uow.session, parent.user_id, book_id)
        if book.version != expected_version:
            raise BookConflict(book.id, current=book.version, expected=expected_version)
        pages = (await repository.load_pages_of_books(uow.session, [book.id]))[book.id]
        if incomplete := find_incomplete_pages(book, pages):
            raise BookIncomplete(incomplete)
        snapshot = await _find_or_create_snapshot(uow, book, pages)
        book.status = BookStatus.APPROVED
        book.snapshot_id = snapshot.id
        made = await repository.load_renditions_of_snapshots(uow.session, [snapshot.id])
        for kind in RenditionKind:
            if kind not in made.get(snapshot.id, {}):
                await uow.enqueue(jobs.MakeRendition(snapshot.id, kind.value), owner_id=parent.user_id)
    return snapshot


def find_incomplete_pages(book: Book, pages: Sequence[Page]) -> list[int]:
    """Find the pages that lack a text or a picture; a title and a cover picture belong to the title page."""
    incomplete = {
        page.number
        for page in pages
        if not is_complete(page.layout, page.text, has_picture=page.illustration_id is not None)
    }
    if not book.title or book.cover_illustration_id is None:
        incomplete.add(TITLE_PAGE)
    return sorted(incomplete)


async def _find_or_create_snapshot(uow: UnitOfWork, book: Book, pages: Sequence[Page]) -> Snapshot:
    shown = [page.illustration_id for page in pages] + [book.cover_illustration_id]
    illustration_ids = [id_ for id_ in shown if id_]
    pictures = await repository.load_illustrations(uow.session, book.owner_id, illustration_ids)
    document = BookContent.of(book, pages, pictures).to_canonical_json()
    digest = hash_content(document)
    if existing := await repository.find_snapshot_by_hash(uow.session, book.id, digest):
        return existing
    snapshot = Snapshot(
        id=new_id("snp"),
        book_id=book.id,
        content=document,
        content_hash=digest,
        format=book.format,
        page_count=book.page_count,
        approved_at=uow.now,
    )
    uow.session.add(snapshot)
    await uow.session.flush()
    return snapshot
