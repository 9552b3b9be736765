"""Pages: editing one, and reverting it to an earlier version."""

from __future__ import annotations

from dataclasses import dataclass

from subgraphs.books import repository
from subgraphs.books.errors import EditConflict
from subgraphs.books.formats import get_format
from subgraphs.books.layouts import Layout
from subgraphs.books.models import Page, PageVersionSource
from subgraphs.books.service.versions import PageState, add_version, require_fit, require_printable
from subgraphs.common.errors import BadUserInput
from subgraphs.common.identity import Identity
from subgraphs.common.runtime import Runtime
from subgraphs.common.unit_of_work import UnitOfWork
from subgraphs.common.validation import clean_text

_MAX_TEXT_LENGTH = 5000


@dataclass(frozen=True, slots=True)
class PageEdit:
    """An edit of the expected version of a page; without a layout, the page keeps its own."""

    page_id: str
    expected_version: int
    text: str
    layout: Layout | None


async def edit_page(runtime: Runtime, parent: Identity, edit: PageEdit) -> Page:
    """Change the text or layout of a page; EditConflict when it is not at the expected version."""
    parent.require("parent")
    text = clean_text("text", edit.text, max_length=_MAX_TEXT_LENGTH, min_length=0, lines=True)
    require_printable("text", text)
    async with runtime.unit_of_work() as uow:
        page = await repository.get_page(uow.session, parent.user_id, edit.page_id)
        _require_version(page, edit.expected_version)
        layout = edit.layout or page.layout
        if edit.layout and edit.layout not in await _list_layouts(uow, page):
            raise BadUserInput("layout", f"Page {page.number} cannot have the layout {layout}.")
        if layout is Layout.TITLE and not text:
            raise BadUserInput("text", "The title page must have a title.")
        await require_fit(layout, text)
        content = PageState(layout, text, page.illustration_id)
        return await _add_version_under_lock(
            uow, parent, page, edit.expected_version, content, PageVersionSource.EDITED
        )


async def revert_page(
    runtime: Runtime, parent: Identity, page_id: str, version_id: str, expected_version: int
) -> Page:
    """Restore an earlier version as a new version; EditConflict when the page is not at the expected one."""
    parent.require("parent")
    async with runtime.unit_of_work() as uow:
        page = await repository.get_page(uow.session, parent.user_id, page_id)
        _require_version(page, expected_version)
        old = await repository.get_version(uow.session, page.id, version_id)
        content = PageState(old.layout, old.text, old.illustration_id)
        return await _add_version_under_lock(
            uow, parent, page, expected_version, content, PageVersionSource.REVERTED
        )


async def _add_version_under_lock(
    uow: UnitOfWork,
    parent: Identity,
    page: Page,
    expected_version: int,
    content: PageState,
    source: PageVersionSource,
) -> Page:
    """Add a version under the book's lock, where the page's version is compared once more."""
    book = await repository.lock_book(uow.session, parent.user_id, page.book_id)
    page = await repository.get_current_page(uow.session, page.id)
    _require_version(page, expected_version)
    add_version(uow, book, page, content, source)
    return page


async def _list_layouts(uow: UnitOfWork, page: Page) -> frozenset[Layout]:
    """List the layouts that a page can have: those of scenes can change, the others are fixed."""
    if page.scene is None:
        return frozenset({page.first_layout})
    return get_format((await repository.get_any_book(uow.session, page.book_id)).format).scene_layouts


def _require_version(page: Page, expected: int) -> None:
    if page.version != expected:
        raise EditConflict(page.id, current=page.version, expected=expected)
