"""All SQL of the books domain. Whatever belongs to a parent is read with the parent's id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from subgraphs.books.models import (
    Book,
    Child,
    Illustration,
    Page,
    PageVersion,
    Rendition,
    RenditionKind,
    Snapshot,
)
from subgraphs.common import pagination
from subgraphs.common.errors import require_found
from subgraphs.common.idempotency import Creation, find_created
from subgraphs.common.ownership import Owned
from subgraphs.common.pagination import PageRequest
from subgraphs.common.rows import load_groups

Row = TypeVar("Row")

_CHILDREN = Owned(Child, Child.owner_id)
_BOOKS = Owned(Book, Book.owner_id)
_PAGES = _BOOKS.extend_to(Page, Page.book_id)
_VERSIONS = _PAGES.extend_to(PageVersion, PageVersion.page_id)
_ILLUSTRATIONS = _BOOKS.extend_to(Illustration, Illustration.book_id)
_SNAPSHOTS = _BOOKS.extend_to(Snapshot, Snapshot.book_id)

load_children, get_child, lock_child = _CHILDREN.load, _CHILDREN.get, _CHILDREN.lock
load_books, get_any_book = _BOOKS.load, _BOOKS.get_any
# Whoever changes a book, its pages or its illustrations must hold its lock.
lock_book, lock_any_book = _BOOKS.lock, _BOOKS.lock_any
load_pages, get_page = _PAGES.load, _PAGES.get
load_versions = _VERSIONS.load
load_illustrations = _ILLUSTRATIONS.load
load_snapshots = _SNAPSHOTS.load
get_any_snapshot, lock_any_snapshot = _SNAPSHOTS.get_any, _SNAPSHOTS.lock_any


async def find_created_child(session: AsyncSession, owner_id: str, creation: Creation) -> Child | None:
    """Find the child that an owner has created under a key."""
    return await find_created(session, Child, owner_id, creation)


async def find_created_book(session: AsyncSession, owner_id: str, creation: Creation) -> Book | None:
    """Find the book that an owner has created under a key."""
    return await find_created(session, Book, owner_id, creation)


async def load_children_of_users(
    session: AsyncSession, owner_id: str, user_ids: Sequence[str]
) -> dict[str, list[Child]]:
    """Load the owner's children, if the owner is among these users, in the order of their creation."""
    oldest_first = _CHILDREN.select(owner_id).order_by(Child.id)
    return await load_groups(session, oldest_first, Child.owner_id, user_ids)


async def load_books_of_users(
    session: AsyncSession, owner_id: str, user_ids: Sequence[str], request: PageRequest
) -> dict[str, pagination.Page[Book]]:
    """Load a page of the owner's books, newest first, if the owner is among these users, by user."""
    return await pagination.load_pages(session, _BOOKS.select(owner_id), Book.owner_id, user_ids, request)


async def load_pages_of_books(session: AsyncSession, book_ids: Sequence[str]) -> dict[str, list[Page]]:
    """Load all pages of each book, in their order."""
    in_order = select(Page).order_by(Page.book_id, Page.number)
    return await load_groups(session, in_order, Page.book_id, book_ids)


async def load_versions_of_pages(
    session: AsyncSession, page_ids: Sequence[str], request: PageRequest
) -> dict[str, pagination.Page[PageVersion]]:
    """Load the same page of each book page's versions, newest first."""
    return await pagination.load_pages(session, select(PageVersion), PageVersion.page_id, page_ids, request)


async def load_renditions_of_snapshots(
    session: AsyncSession, snapshot_ids: Sequence[str]
) -> dict[str, dict[RenditionKind, Rendition]]:
    """Load the renditions of each snapshot; a snapshot that has none yet is left out."""
    groups = await load_groups(session, select(Rendition), Rendition.snapshot_id, snapshot_ids)
    return {snapshot_id: {row.kind: row for row in rows} for snapshot_id, rows in groups.items()}


async def load_illustrations_of_book(session: AsyncSession, book_id: str) -> dict[str, Illustration]:
    """Load all illustrations that were ever made for a book, by SHA-256."""
    rows = await session.scalars(select(Illustration).where(Illustration.book_id == book_id))
    return {row.sha256: row for row in rows}


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


async def find_snapshot_by_hash(session: AsyncSession, book_id: str, content_hash: str) -> Snapshot | None:
    """Find the snapshot of a book with this content."""
    return await session.scalar(
        select(Snapshot).where(Snapshot.book_id == book_id, Snapshot.content_hash == content_hash)
    )


async def find_rendition(session: AsyncSession, snapshot_id: str, kind: RenditionKind) -> Rendition | None:
    """Find the rendition of this kind of a snapshot."""
    return await session.get(Rendition, (snapshot_id, kind))


async def list_file_keys_of_child(session: AsyncSession, child_id: str) -> list[str]:
    """List the storage keys of the illustrations and renditions of all books of a child."""
    books = select(Book.id).where(Book.child_id == child_id)
    illustrations = select(Illustration.storage_key).where(Illustration.book_id.in_(books))
    renditions = (
        select(Rendition.storage_key)
        .join(Snapshot, Rendition.snapshot_id == Snapshot.id)
        .where(Snapshot.book_id.in_(books))
    )
    return sorted(set(await session.scalars(illustrations.union_all(renditions))))


async def _get(session: AsyncSession, statement: Select[Row], kind: str, row_id: str) -> Row:
    return require_found(kind, row_id, await session.scalar(statement))
