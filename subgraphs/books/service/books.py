"""Creation of a book."""

from __future__ import annotations

import re
from dataclasses import dataclass

from subgraphs.books import repository
from subgraphs.books.errors import TextDoesNotFit
from subgraphs.books.formats import DEFAULT_FORMAT, get_format
from subgraphs.books.layouts import Layout, find_scene, get_first_layout
from subgraphs.books.models import Book, BookStatus, Page, Theme
from subgraphs.books.service.versions import require_fit, require_printable
from subgraphs.common.errors import BadUserInput
from subgraphs.common.idempotency import Creation
from subgraphs.common.identity import Identity
from subgraphs.common.ids import new_id
from subgraphs.common.runtime import Runtime
from subgraphs.common.validation import clean_text

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?")


@dataclass(frozen=True, slots=True)
class BriefDetails:
    """The brief for a book to create, and its format; without a page count, it has the format's first."""

    wish: str
    theme: Theme
    language: str
    dedication: str | None
    format_id: str = DEFAULT_FORMAT
    page_count: int | None = None


async def create_book(
    runtime: Runtime, parent: Identity, child_id: str, brief: BriefDetails, key: str | None = None
) -> Book:
    """Create a draft of a book with all its pages, which are empty; once for each key."""
    parent.require("parent")
    wish = clean_text("wish", brief.wish, max_length=1000, lines=True)
    if not _LANGUAGE.fullmatch(brief.language):
        raise BadUserInput("language", "language must be a language tag such as en or en-GB.")
    book_format = get_format(brief.format_id)
    page_count = book_format.choose_page_count(brief.page_count)
    dedication = await _check_dedication(brief.dedication)
    creation = Creation.of(key, child_id, brief)
    async with runtime.unit_of_work() as uow:
        if created := await repository.find_created_book(uow.session, parent.user_id, creation):
            return created
        child = await repository.get_child(uow.session, parent.user_id, child_id)
        book = Book(
            id=new_id("book"),
            owner_id=parent.user_id,
            child_id=child.id,
            wish=wish,
            theme=brief.theme,
            language=brief.language,
            dedication=dedication,
            format=book_format.id,
            page_count=page_count,
            title="",
            blurb="",
            status=BookStatus.DRAFT,
            version=1,
            created_at=uow.now,
            **creation.columns,
        )
        uow.session.add(book)
        await uow.session.flush()
        uow.session.add_all(
            Page(
                id=new_id("page"),
                book_id=book.id,
                number=number,
                scene=find_scene(number, page_count),
                first_layout=get_first_layout(number, page_count),
            )
            for number in range(1, page_count + 1)
        )
    return book


async def _check_dedication(value: str | None) -> str | None:
    text = clean_text("dedication", value or "", max_length=1000, min_length=0, lines=True)
    try:
        await require_fit(Layout.DEDICATION, require_printable("dedication", text))
    except TextDoesNotFit as too_long:
        raise BadUserInput("dedication", str(too_long)) from too_long
    return text or None
