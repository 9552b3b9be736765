"""All SQL of the books domain. Whatever belongs to a parent is read with the parent's id."""

from __future__ import annotations

from collections import defaultdict
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
from subgraphs.common.errors import NotFound
from subgraphs.common.pagination import Page as ConnectionPage
from subgraphs.common.pagination import PageRequest, pages

Row = TypeVar("Row")

# What belongs to an owner: every read by id goes through one of these.


def _children(owner_id: str) -> Select[Child]:
    return select(Child).where(Child.owner_id == owner_id)


def _books(owner_id: str) -> Select[Book]:
    return select(Book).where(Book.owner_id == owner_id)


def _pages(owner_id: str) -> Select[Page]:
    return select(Page).join(Book, Page.book_id == Book.id).where(Book.owner_id == owner_id)


def _versions(owner_id: str) -> Select[PageVersion]:
    return (
        select(PageVersion)
        .join(Page, PageVersion.page_id == Page.id)
        .join(Book, Page.book_id == Book.id)
        .where(Book.owner_id == owner_id)
    )


def _illustrations(owner_id: str) -> Select[Illustration]:
    return select(Illustration).join(Book, Illustration.book_id == Book.id).where(Book.owner_id == owner_id)


def _snapshots(owner_id: str) -> Select[Snapshot]:
    return select(Snapshot).join(Book, Snapshot.book_id == Book.id).where(Book.owner_id == owner_id)


_OWNED: Mapping[type, Any] = {
    Child: _children,
    Book: _books,
    Page: _pages,
    PageVersion: _versions,
    Illustration: _illustrations,
    Snapshot: _snapshots,
}


async def owned_by_id(
    session: AsyncSession, entity: type[Any], owner_id: str, ids: Sequence[str]
) -> dict[str, Any]:
    """The rows of these ids that belong to the owner, by id, in one statement."""
    rows = await session.scalars(_OWNED[entity](owner_id).where(entity.id.in_(ids)))
    return {row.id: row for row in rows}


async def get_child(session: AsyncSession, owner_id: str, child_id: str) -> Child:
    """An owner's child; NotFound when there is none."""
    return await _one(session, _children(owner_id).where(Child.id == child_id), "Child", child_id)


async def lock_child(session: AsyncSession, owner_id: str, child_id: str) -> Child:
    """An owner's child, locked against other changes."""
    statement = _children(owner_id).where(Child.id == child_id).with_for_update()
    return await _one(session, statement, "Child", child_id)


async def get_page(session: AsyncSession, owner_id: str, page_id: str) -> Page:
    """A page of an owner's book; NotFound when there is none."""
    return await _one(session, _pages(owner_id).where(Page.id == page_id), "Page", page_id)


async def get_version(session: AsyncSession, page_id: str, version_id: str) -> PageVersion:
    """A version of this page; NotFound when the page never had it."""
    statement = select(PageVersion).where(PageVersion.page_id == page_id, PageVersion.id == version_id)
    return await _one(session, statement, "PageVersion", version_id)


async def lock_book(session: AsyncSession, owner_id: str, book_id: str) -> Book:
    """An owner's book, locked: whoever changes a book, its pages or its pictures holds this lock."""
    return await _one(session, _books(owner_id).where(Book.id == book_id).with_for_update(), "Book", book_id)


async def lock_any_book(session: AsyncSession, book_id: str) -> Book:
    """A book of any owner, locked, for a worker."""
    return await _one(session, select(Book).where(Book.id == book_id).with_for_update(), "Book", book_id)


async def get_any_book(session: AsyncSession, book_id: str) -> Book:
    """A book, for a worker; NotFound when there is none."""
    return await _one(session, select(Book).where(Book.id == book_id), "Book", book_id)


async def book_of_page(session: AsyncSession, page_id: str) -> str:
    """The id of the book that a page is in; NotFound when there is no such page."""
    return await _one(session, select(Page.book_id).where(Page.id == page_id), "Page", page_id)


async def current_page(session: AsyncSession, page_id: str) -> Page:
    """A page as it is now; read it under the lock of its book when it is to be changed."""
    statement = select(Page).where(Page.id == page_id).execution_options(populate_existing=True)
    return await _one(session, statement, "Page", page_id)


async def page_at(session: AsyncSession, book_id: str, number: int) -> Page:
    """The page of this number in a book."""
    statement = select(Page).where(Page.book_id == book_id, Page.number == number)
    return await _one(
        session, statement.execution_options(populate_existing=True), "Page", f"{book_id}/{number}"
    )


async def pages_of(session: AsyncSession, book_ids: Sequence[str]) -> dict[str, list[Page]]:
    """Every page of these books, in their order, in one statement."""
    rows = await session.scalars(
        select(Page).where(Page.book_id.in_(book_ids)).order_by(Page.book_id, Page.number)
    )
    grouped: defaultdict[str, list[Page]] = defaultdict(list)
    for row in rows:
        grouped[row.book_id].append(row)
    return dict(grouped)


async def children_of(session: AsyncSession, owner_ids: Sequence[str]) -> dict[str, list[Child]]:
    """The children of these parents, the eldest entry first, in one statement."""
    rows = await session.scalars(select(Child).where(Child.owner_id.in_(owner_ids)).order_by(Child.id))
    grouped: defaultdict[str, list[Child]] = defaultdict(list)
    for row in rows:
        grouped[row.owner_id].append(row)
    return dict(grouped)


async def books_of(
    session: AsyncSession, owner_ids: Sequence[str], request: PageRequest
) -> dict[str, ConnectionPage[Book]]:
    """The same page of each parent's books, newest first, in one statement."""
    return await pages(session, Book, Book.owner_id, owner_ids, request)


async def versions_of(
    session: AsyncSession, page_ids: Sequence[str], request: PageRequest
) -> dict[str, ConnectionPage[PageVersion]]:
    """The same page of each page's versions, newest first, in one statement."""
    return await pages(session, PageVersion, PageVersion.page_id, page_ids, request)


async def illustrations_by_id(session: AsyncSession, ids: Sequence[str]) -> dict[str, Illustration]:
    """These pictures, by id."""
    rows = await session.scalars(select(Illustration).where(Illustration.id.in_(ids)))
    return {row.id: row for row in rows}


async def illustrations_of(session: AsyncSession, book_id: str) -> dict[str, Illustration]:
    """Every picture ever made for a book, by its SHA-256."""
    rows = await session.scalars(select(Illustration).where(Illustration.book_id == book_id))
    return {row.sha256: row for row in rows}


async def version_from(session: AsyncSession, page_id: str, key: str) -> PageVersion | None:
    """The version of a page that a generation step made, if it did."""
    return await session.scalar(
        select(PageVersion).where(PageVersion.page_id == page_id, PageVersion.source_key == key)
    )


async def illustration_from(session: AsyncSession, book_id: str, key: str) -> Illustration | None:
    """The picture of a book that a generation step made, if it did."""
    return await session.scalar(
        select(Illustration).where(Illustration.book_id == book_id, Illustration.source_key == key)
    )


async def get_snapshot(session: AsyncSession, snapshot_id: str) -> Snapshot:
    """A snapshot, for a worker; NotFound when there is none."""
    return await _one(session, select(Snapshot).where(Snapshot.id == snapshot_id), "Snapshot", snapshot_id)


async def lock_snapshot(session: AsyncSession, snapshot_id: str) -> Snapshot:
    """A snapshot, locked while its files are recorded."""
    statement = select(Snapshot).where(Snapshot.id == snapshot_id).with_for_update()
    return await _one(session, statement, "Snapshot", snapshot_id)


async def snapshot_with(session: AsyncSession, book_id: str, content_hash: str) -> Snapshot | None:
    """The snapshot of this content of a book, if it was approved before."""
    return await session.scalar(
        select(Snapshot).where(Snapshot.book_id == book_id, Snapshot.content_hash == content_hash)
    )


async def print_files_of(
    session: AsyncSession, snapshot_ids: Sequence[str]
) -> dict[str, dict[PrintPart, PrintFile]]:
    """The print files of these snapshots; a snapshot that is not typeset yet is left out."""
    rows = await session.scalars(select(PrintFile).where(PrintFile.snapshot_id.in_(snapshot_ids)))
    grouped: defaultdict[str, dict[PrintPart, PrintFile]] = defaultdict(dict)
    for row in rows:
        grouped[row.snapshot_id][row.part] = row
    return dict(grouped)


async def file_keys_of_child(session: AsyncSession, child_id: str) -> list[str]:
    """Every file in the store that was made for a child: pictures and print files of all its books."""
    books = select(Book.id).where(Book.child_id == child_id)
    pictures = select(Illustration.storage_key).where(Illustration.book_id.in_(books))
    prints = (
        select(PrintFile.storage_key)
        .join(Snapshot, PrintFile.snapshot_id == Snapshot.id)
        .where(Snapshot.book_id.in_(books))
    )
    return sorted(set(await session.scalars(pictures.union_all(prints))))


async def _one(session: AsyncSession, statement: Select[Row], kind: str, row_id: str) -> Row:
    row = await session.scalar(statement)
    if row is None:
        raise NotFound(kind, row_id)
    return row
