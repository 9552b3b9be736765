"""Results of a generation: each is written into a book under a key, which takes effect once."""

from __future__ import annotations

from dataclasses import dataclass

from subgraphs.books import repository
from subgraphs.books.layouts import DEDICATION_PAGE, TITLE_PAGE, Layout
from subgraphs.books.models import Book, BookStatus, Illustration, Page, PageVersionSource
from subgraphs.books.service.versions import PageState, add_version, can_fit, mark_changed, require_fit
from subgraphs.books.typesetting.fit import MAX_CHARACTERS
from subgraphs.books.typesetting.fonts import remove_unprintable
from subgraphs.common.ids import new_id
from subgraphs.common.runtime import Runtime
from subgraphs.common.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class BookOutline:
    """The texts of the cover and of the pages around the story."""

    title: str
    subtitle: str | None
    blurb: str
    dedication: str
    closing: str


@dataclass(frozen=True, slots=True)
class IllustrationTarget:
    """The place of a picture: a page, or the cover if `page_id` is None."""

    book_id: str
    page_id: str | None


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that has been stored."""

    storage_key: str
    sha256: str
    width: int
    height: int
    alt_text: str


@dataclass(frozen=True, slots=True)
class PageContext:
    """A page as a writer needs to know it; any text of at most `maximum_characters` fits on it."""

    id: str
    number: int
    layout: Layout
    text: str
    maximum_characters: int


@dataclass(frozen=True, slots=True)
class StoryContext:
    """A book as a writer needs to know it."""

    book_id: str
    title: str
    language: str
    pages: tuple[PageContext, ...]


async def apply_outline(runtime: Runtime, book_id: str, outline: BookOutline, key: str) -> None:
    """Write the title, the blurb and the pages around the story.

    A dedication in the brief takes precedence over the outline's, and a subtitle that does not fit below the
    title is left out. TextDoesNotFit when a text is too long for its page; then nothing is written.
    """
    async with runtime.unit_of_work() as uow:
        book = await repository.lock_any_book(uow.session, book_id)
        texts = {
            TITLE_PAGE: await _choose_title(outline),
            DEDICATION_PAGE: book.dedication or outline.dedication,
            book.page_count: outline.closing,
        }
        for number, text in texts.items():
            page = await repository.get_page_by_number(uow.session, book.id, number)
            await _write_text(uow, book, page, text, key)
        blurb = remove_unprintable(outline.blurb)
        await require_fit("BLURB", blurb)
        if book.blurb != blurb:
            book.blurb = blurb
            mark_changed(book)


async def apply_page_text(runtime: Runtime, page_id: str, text: str, key: str) -> None:
    """Write the text of a page; TextDoesNotFit when it is too long for the page."""
    async with runtime.unit_of_work() as uow:
        book_id = await repository.get_book_id_of_page(uow.session, page_id)
        book = await repository.lock_any_book(uow.session, book_id)
        page = await repository.get_current_page(uow.session, page_id)
        await _write_text(uow, book, page, text, key)


async def apply_illustration(runtime: Runtime, target: IllustrationTarget, key: str, picture: Picture) -> str:
    """Put a picture on a page or on the cover; return its id, which is the same for the same key."""
    async with runtime.unit_of_work() as uow:
        book = await repository.lock_any_book(uow.session, target.book_id)
        if existing := await repository.find_illustration_by_key(uow.session, book.id, key):
            return existing.id
        illustration = Illustration(
            id=new_id("ill"),
            book_id=book.id,
            source_key=key,
            storage_key=picture.storage_key,
            sha256=picture.sha256,
            width=picture.width,
            height=picture.height,
            alt_text=picture.alt_text,
            created_at=uow.now,
        )
        uow.session.add(illustration)
        await uow.session.flush()
        if target.page_id is None:
            book.cover_illustration_id = illustration.id
            mark_changed(book)
        else:
            page = await repository.get_current_page(uow.session, target.page_id)
            content = PageState(page.layout, page.text, illustration.id)
            add_version(uow, book, page, content, PageVersionSource.GENERATED, key)
    return illustration.id


async def finish_generation(runtime: Runtime, book_id: str, key: str) -> None:
    """Mark a draft as ready; any other book is left as it is."""
    async with runtime.unit_of_work() as uow:
        if not await uow.receive("books.finish_generation", key):
            return
        book = await repository.lock_any_book(uow.session, book_id)
        if book.status is BookStatus.DRAFT:
            book.status = BookStatus.READY


async def get_story(runtime: Runtime, book_id: str) -> StoryContext:
    """Get the current texts of a book; NotFound when there is no such book."""
    async with runtime.database.read() as session:
        book = await repository.get_any_book(session, book_id)
        pages = (await repository.load_pages_of_books(session, [book_id]))[book_id]
    return StoryContext(
        book_id=book.id,
        title=book.title,
        language=book.language,
        pages=tuple(
            PageContext(page.id, page.number, page.layout, page.text, MAX_CHARACTERS[page.layout])
            for page in pages
        ),
    )


async def _write_text(uow: UnitOfWork, book: Book, page: Page, text: str, key: str) -> None:
    if await repository.find_version_by_key(uow.session, page.id, key):
        return
    text = remove_unprintable(text)
    await require_fit(page.layout, text)
    content = PageState(page.layout, text, page.illustration_id)
    add_version(uow, book, page, content, PageVersionSource.GENERATED, key)


async def _choose_title(outline: BookOutline) -> str:
    title = "\n".join(filter(None, (outline.title, outline.subtitle)))
    return title if await can_fit(Layout.TITLE, remove_unprintable(title)) else outline.title
