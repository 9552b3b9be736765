"""All SQL of the books domain. Whatever belongs to a parent is read with the parent's id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from subgraphs.books.models import (
    Book,
    Child,
    Illustration,
    Page,
    PageVersion,
    PrintFile,
    PrintPart,
    Snapshot,
)
from subgraphs.common.database import group_by
from subgraphs.common.errors import require_found
from subgraphs.common.pagination import Page as ConnectionPage
from subgraphs.common.pagination import PageRequest, load_pages

Row = TypeVar("Row")

# The rows that belong to an owner: every read by id on behalf of a parent goes through one of these.


def _select_children(owner_id: str) -> Select[Child]:
    return select(Child).where(Child.owner_id == owner_id)


def _select_books(owner_id: str) -> Select[Book]:
    return select(Book).where(Book.owner_id == owner_id)


def _select_pages(owner_id: str) -> Select[Page]:
    return select(Page).join(Book, Page.book_id == Book.id).where(Book.owner_id == owner_id)


def _select_versions(owner_id: str) -> Select[PageVersion]:
    return (
        select(PageVersion)
        .join(Page, PageVersion.page_id == Page.id)
        .join(Book, Page.book_id == Book.id)
        .where(Book.owner_id == owner_id)
    )


def _select_illustrations(owner_id: str) -> Select[Illustration]:
    return select(Illustration).join(Book, Illustration.book_id == Book.id).where(Book.owner_id == owner_id)


def _select_snapshots(owner_id: str) -> Select[Snapshot]:
    return select(Snapshot).join(Book, Snapshot.book_id == Book.id).where(Book.owner_id == owner_id)


_OWNED: Mapping[type, Any] = {
    Child: _select_children,
    Book: _select_books,
    Page: _select_pages,
    PageVersion: _select_versions,
    Illustration: _select_illustrations,
    Snapshot: _select_snapshots,
}


async def load_owned(
    session: AsyncSession, owner_id: str, entity: type[Any], ids: Sequence[str]
) -> dict[str, Any]:
    """Load an owner's rows of an entity by id."""
    rows = await session.scalars(_OWNED[entity](owner_id).where(entity.id.in_(ids)))
    return {row.id: row for row in rows}


async def load_children_of_users(session: AsyncSession, user_ids: Sequence[str]) -> dict[str, list[Child]]:
    """Load the children of each parent, in the order in which they were created."""
    rows = await session.scalars(select(Child).where(Child.owner_id.in_(user_ids)).order_by(Child.id))
    return group_by(rows, lambda row: row.owner_id)


async def load_books_of_users(
    session: AsyncSession, user_ids: Sequence[str], request: PageRequest
) -> dict[str, ConnectionPage[Book]]:
    """Load the same page of each parent's books, newest first."""
    return await load_pages(session, Book, Book.owner_id, user_ids, request)


async def load_pages_of_books(session: AsyncSession, book_ids: Sequence[str]) -> dict[str, list[Page]]:
    """Load all pages of each book, in their order."""
    rows = await session.scalars(
        select(Page).where(Page.book_id.in_(book_ids)).order_by(Page.book_id, Page.number)
    )
    return group_by(rows, lambda row: row.book_id)


async def load_versions_of_pages(
    session: AsyncSession, page_ids: Sequence[str], request: PageRequest
) -> dict[str, ConnectionPage[PageVersion]]:
    """Load the same page of each book page's versions, newest first."""
    return await load_pages(session, PageVersion, PageVersion.page_id, page_ids, request)


async def load_print_files_of_snapshots(
    session: AsyncSession, snapshot_ids: Sequence[str]
) -> dict[str, dict[PrintPart, PrintFile]]:
    """Load the print files of each snapshot; a snapshot that is not typeset yet is left out."""
    rows = await session.scalars(select(PrintFile).where(PrintFile.snapshot_id.in_(snapshot_ids)))
    groups = group_by(rows, lambda row: row.snapshot_id)
    return {snapshot_id: {file.part: file for file in files} for snapshot_id, files in groups.items()}


async def load_illustrations(session: AsyncSession, ids: Sequence[str]) -> dict[str, Illustration]:
    """Load illustrations of any owner by id."""
    rows = await session.scalars(select(Illustration).where(Illustration.id.in_(ids)))
    return {row.id: row for row in rows}


async def load_illustrations_of_book(session: AsyncSession, book_id: str) -> dict[str, Illustration]:
    """Load all illustrations that were ever made for a book, by SHA-256."""
    rows = await session.scalars(select(Illustration).where(Illustration.book_id == book_id))
    return {row.sha256: row for row in rows}


async def get_child(session: AsyncSession, owner_id: str, child_id: str) -> Child:
    """Get an owner's child; NotFound when there is none."""
    return await _get(session, _select_children(owner_id).where(Child.id == child_id), "Child", child_id)


async def lock_child(session: AsyncSession, owner_id: str, child_id: str) -> Child:
    """Lock an owner's child; NotFound when there is none."""
    statement = _select_children(owner_id).where(Child.id == child_id).with_for_update()
    return await _get(session, statement, "Child", child_id)


async def lock_book(session: AsyncSession, owner_id: str, book_id: str) -> Book:
    """Lock an owner's book; NotFound when there is none.

    Whoever changes a book, its pages or its illustrations must hold this lock.
    """
    statement = _select_books(owner_id).where(Book.id == book_id).with_for_update()
    return await _get(session, statement, "Book", book_id)


async def get_any_book(session: AsyncSession, book_id: str) -> Book:
    """Get a book of any owner, for a task; NotFound when there is none."""
    return await _get(session, select(Book).where(Book.id == book_id), "Book", book_id)


async def lock_any_book(session: AsyncSession, book_id: str) -> Book:
    """Lock a book of any owner, for a task; NotFound when there is none."""
    return await _get(session, select(Book).where(Book.id == book_id).with_for_update(), "Book", book_id)


async def get_page(session: AsyncSession, owner_id: str, page_id: str) -> Page:
    """Get a page of an owner's book; NotFound when there is none."""
    return await _get(session, _select_pages(owner_id).where(Page.id == page_id), "Page", page_id)


async def get_current_page(session: AsyncSession, page_id: str) -> Page:
    """Get a page of any owner's book, refreshed from the database; NotFound when there is none.

    To change the page, lock its book first.
    """
    statement = select(Page).where(Page.id == page_id).execution_options(populate_existing=True)
    return await _get(session, statement, "Page", page_id)


async def get_page_by_number(session: AsyncSession, book_id: str, number: int) -> Page:
    """Get a page of any owner's book by its number, refreshed from the database."""
    statement = select(Page).where(Page.book_id == book_id, Page.number == number)
    return await _get(
        session, statement.execution_options(populate_existing=True), "Page", f"{book_id}/{number}"
    )


async def get_book_id_of_page(session: AsyncSession, page_id: str) -> str:
    """Get the id of the book that a page is in; NotFound when there is no such page."""
    return await _get(session, select(Page.book_id).where(Page.id == page_id), "Page", page_id)


async def get_version(session: AsyncSession, page_id: str, version_id: str) -> PageVersion:
    """Get a version of a page; NotFound when the page has no such version."""
    statement = select(PageVersion).where(PageVersion.page_id == page_id, PageVersion.id == version_id)
    return await _get(session, statement, "PageVersion", version_id)


async def find_version_by_key(session: AsyncSession, page_id: str, key: str) -> PageVersion | None:
    """Find the version of a page that a generation step has made."""
    return await session.scalar(
        select(PageVersion).where(PageVersion.page_id == page_id, PageVersion.source_key == key)
    )


async def find_illustration_by_key(session: AsyncSession, book_id: str, key: str) -> Illustration | None:
    """Find the illustration of a book that a generation step has made."""
    return await session.scalar(
        select(Illustration).where(Illustration.book_id == book_id, Illustration.source_key == key)
    )


async def get_any_snapshot(session: AsyncSession, snapshot_id: str) -> Snapshot:
    """Get a snapshot of any owner's book, for a task; NotFound when there is none."""
    return await _get(session, select(Snapshot).where(Snapshot.id == snapshot_id), "Snapshot", snapshot_id)


async def lock_any_snapshot(session: AsyncSession, snapshot_id: str) -> Snapshot:
    """Lock a snapshot of any owner's book, for a task; NotFound when there is none."""
    statement = select(Snapshot).where(Snapshot.id == snapshot_id).with_for_update()
    return await _get(session, statement, "Snapshot", snapshot_id)


async def find_snapshot_by_hash(session: AsyncSession, book_id: str, content_hash: str) -> Snapshot | None:
    """Find the snapshot of a book with this content."""
    return await session.scalar(
        select(Snapshot).where(Snapshot.book_id == book_id, Snapshot.content_hash == content_hash)
    )


async def list_file_keys_of_child(session: AsyncSession, child_id: str) -> list[str]:
    """List the storage keys of the illustrations and print files of all books of a child."""
    books = select(Book.id).where(Book.child_id == child_id)
    illustrations = select(Illustration.storage_key).where(Illustration.book_id.in_(books))
    print_files = (
        select(PrintFile.storage_key)
        .join(Snapshot, PrintFile.snapshot_id == Snapshot.id)
        .where(Snapshot.book_id.in_(books))
    )
    return sorted(set(await session.scalars(illustrations.union_all(print_files))))


async def _get(session: AsyncSession, statement: Select[Row], kind: str, row_id: str) -> Row:
    return require_found(kind, row_id, await session.scalar(statement))
