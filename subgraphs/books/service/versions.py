"""Versions of pages: the content of a page changes only by adding one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from subgraphs.books.errors import TextDoesNotFit
from subgraphs.books.layouts import Layout
from subgraphs.books.models import Book, BookStatus, Page, PageVersion, PageVersionSource
from subgraphs.books.typesetting.fit import Box, count_fitting_characters
from subgraphs.books.typesetting.fonts import find_unprintable
from subgraphs.common.errors import BadUserInput
from subgraphs.common.ids import new_id
from subgraphs.common.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class PageState:
    """The content of a version of a page."""

    layout: Layout
    text: str
    illustration_id: str | None


def add_version(
    uow: UnitOfWork,
    book: Book,
    page: Page,
    content: PageState,
    source: PageVersionSource,
    key: str | None = None,
) -> PageVersion:
    """Add a version and make it the current one; the book must be locked, and the text must fit."""
    version = PageVersion(
        id=new_id("pgv"),
        page_id=page.id,
        number=page.version + 1,
        layout=content.layout,
        text=content.text,
        illustration_id=content.illustration_id,
        source=source,
        source_key=key,
        created_at=uow.now,
    )
    uow.session.add(version)
    page.current = version
    if content.layout is Layout.TITLE:
        book.title, _, rest = content.text.partition("\n")
        book.subtitle = " ".join(rest.split()) or None
    mark_changed(book)
    return version


def mark_changed(book: Book) -> None:
    """Increment the version of a book; an approved book must be approved again."""
    book.version += 1
    if book.status is BookStatus.APPROVED:
        book.status = BookStatus.READY


async def can_fit(box: Box, text: str) -> bool:
    """Whether a text fits into a box."""
    return await asyncio.to_thread(count_fitting_characters, box, text) == len(text)


async def require_fit(box: Box, text: str) -> None:
    """Raise TextDoesNotFit for a text that does not fit into a box."""
    fitting = await asyncio.to_thread(count_fitting_characters, box, text)
    if fitting < len(text):
        raise TextDoesNotFit(fitting)


def require_printable(field: str, text: str) -> str:
    """Return the text; BadUserInput when no font has a glyph for one of its characters."""
    if missing := find_unprintable(text):
        raise BadUserInput(field, f"{field} has characters that cannot be printed: {' '.join(missing)}")
    return text
