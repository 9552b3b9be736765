"""Books with their pages and snapshots, which refer to each other."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

import strawberry

from subgraphs.books import models
from subgraphs.books.formats import MAX_PAGE_COUNT, get_format
from subgraphs.books.layouts import Layout
from subgraphs.books.models import BookStatus, PageVersionSource, RenditionKind, Theme
from subgraphs.books.types.children import Child
from subgraphs.books.types.files import Illustration, PrintFile, load_illustration
from subgraphs.books.types.formats import BookFormat
from subgraphs.books.types.info import Info
from subgraphs.common.pagination import PageRequest
from subgraphs.common.types import PAGED, After, Connection, First, sized
from subgraphs.common.validation import require_in_range

strawberry.enum(Theme, description="The theme of a story.")
strawberry.enum(
    BookStatus,
    description="DRAFT until the story is written, then READY; APPROVED until it is edited again.",
)
strawberry.enum(PageVersionSource, description="How a version of a page came about.")


@strawberry.type(description="The parent's brief for a book.")
class Brief:
    """A brief."""

    wish: str
    theme: Theme
    language: str = strawberry.field(description="A language tag, such as en.")
    dedication: str | None


@strawberry.federation.type(keys=["id"], description="A picture book for one child.")
class Book:
    """A book."""

    id: strawberry.ID
    title: str = strawberry.field(description="Empty until it is written; edited on the title page.")
    subtitle: str | None
    blurb: str = strawberry.field(description="The text of the back cover.")
    brief: Brief
    status: BookStatus
    version: int = strawberry.field(
        description="Incremented by every change of the book or one of its pages."
    )
    format: BookFormat
    page_count: int
    created_at: datetime
    row: strawberry.Private[models.Book]

    @classmethod
    def of(cls, row: models.Book) -> Self:
        """Convert a row."""
        return cls(
            id=strawberry.ID(row.id),
            title=row.title,
            subtitle=row.subtitle,
            blurb=row.blurb,
            brief=Brief(wish=row.wish, theme=row.theme, language=row.language, dedication=row.dedication),
            status=row.status,
            version=row.version,
            format=BookFormat.of(get_format(row.format)),
            page_count=row.page_count,
            created_at=row.created_at,
            row=row,
        )

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self | None:
        """Find a book of the caller's."""
        row = await info.context.loaders.book.load(id)
        return cls.of(row) if row else None

    @strawberry.field
    async def child(self, info: Info) -> Child:
        """Load the child; every book has one."""
        row = await info.context.loaders.child.load(self.row.child_id)
        assert row is not None
        return Child.of(row)

    @strawberry.field(directives=[sized(MAX_PAGE_COUNT)], description="Every page, in order.")
    async def pages(self, info: Info) -> list[Page]:
        """Load all pages."""
        return [Page.of(row) for row in await info.context.loaders.pages_of_book.load(self.id)]

    @strawberry.field
    async def page(
        self, info: Info, number: Annotated[int, strawberry.argument(description="From 1.")]
    ) -> Page | None:
        """Find a page by its number; it is loaded together with `pages`."""
        require_in_range("number", number, 1, self.page_count)
        rows = await info.context.loaders.pages_of_book.load(self.id)
        return next((Page.of(row) for row in rows if row.number == number), None)

    @strawberry.field
    async def cover_illustration(self, info: Info) -> Illustration | None:
        """Load the illustration, which is also that of the title page."""
        return await load_illustration(info, self.row.cover_illustration_id)

    @strawberry.field(description="The book as last approved.")
    async def snapshot(self, info: Info) -> Snapshot | None:
        """Load the newest snapshot."""
        if self.row.snapshot_id is None:
            return None
        row = await info.context.loaders.snapshot.load(self.row.snapshot_id)
        return Snapshot.of(row) if row else None


@strawberry.federation.type(
    keys=["id"], description="The content of a page at one time; versions never change."
)
class PageVersion:
    """One version of a page."""

    id: strawberry.ID
    number: int
    layout: Layout
    text: str
    source: PageVersionSource
    created_at: datetime
    illustration_id: strawberry.Private[str | None]

    @classmethod
    def of(cls, row: models.PageVersion) -> Self:
        """Convert a row."""
        return cls(
            id=strawberry.ID(row.id),
            number=row.number,
            layout=row.layout,
            text=row.text,
            source=row.source,
            created_at=row.created_at,
            illustration_id=row.illustration_id,
        )

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self | None:
        """Find a version of a page of one of the caller's books."""
        row = await info.context.loaders.version.load(id)
        return cls.of(row) if row else None

    @strawberry.field
    async def illustration(self, info: Info) -> Illustration | None:
        """Load the illustration."""
        return await load_illustration(info, self.illustration_id)


@strawberry.federation.type(keys=["id"], description="A page of a book with its current content.")
class Page:
    """A page and its current version."""

    id: strawberry.ID
    number: int = strawberry.field(description="From 1; odd pages are on the right.")
    scene: int | None = strawberry.field(
        description="The scene of the story, from 1; null for the pages around the story."
    )
    layout: Layout
    text: str
    version: int = strawberry.field(
        description="The number of the current version, for `expectedVersion`; 0 before the first."
    )
    book_id: strawberry.Private[str]
    illustration_id: strawberry.Private[str | None]

    @classmethod
    def of(cls, row: models.Page) -> Self:
        """Convert a row."""
        return cls(
            id=strawberry.ID(row.id),
            number=row.number,
            scene=row.scene,
            layout=row.layout,
            text=row.text,
            version=row.version,
            book_id=row.book_id,
            illustration_id=row.illustration_id,
        )

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self | None:
        """Find a page of one of the caller's books."""
        row = await info.context.loaders.page.load(id)
        return cls.of(row) if row else None

    @strawberry.field
    async def illustration(self, info: Info) -> Illustration | None:
        """Load the illustration."""
        return await load_illustration(info, self.illustration_id)

    @strawberry.field(directives=[PAGED], description="Every version of the page, newest first.")
    async def versions(self, info: Info, first: First = 20, after: After = None) -> Connection[PageVersion]:
        """Load a page of the versions."""
        page = await info.context.loaders.versions_of_page.load((self.id, PageRequest.of(first, after)))
        return Connection.of(page, [PageVersion.of(row) for row in page.rows])

    @strawberry.field
    async def book(self, info: Info) -> Book:
        """Load the book that the page is in."""
        row = await info.context.loaders.book.load(self.book_id)
        assert row is not None
        return Book.of(row)


@strawberry.federation.type(keys=["id"], description="An approved book, frozen: exactly what is printed.")
class Snapshot:
    """An approved book."""

    id: strawberry.ID
    content_hash: str = strawberry.field(
        description="SHA-256 of the content: format, texts, layouts and pictures."
    )
    approved_at: datetime
    format: BookFormat
    page_count: int
    book_id: strawberry.Private[str]

    @classmethod
    def of(cls, row: models.Snapshot) -> Self:
        """Convert a row."""
        return cls(
            id=strawberry.ID(row.id),
            content_hash=row.content_hash,
            approved_at=row.approved_at,
            format=BookFormat.of(get_format(row.format)),
            page_count=row.page_count,
            book_id=row.book_id,
        )

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self | None:
        """Find a snapshot of one of the caller's books."""
        row = await info.context.loaders.snapshot.load(id)
        return cls.of(row) if row else None

    @strawberry.field
    async def book(self, info: Info) -> Book:
        """Load the book that was approved; it may have changed since."""
        row = await info.context.loaders.book.load(self.book_id)
        assert row is not None
        return Book.of(row)

    @strawberry.field(description="The interior; null until it is typeset.")
    async def interior(self, info: Info) -> PrintFile | None:
        """Load the interior."""
        return await self._load_file(info, RenditionKind.PRINT_INTERIOR)

    @strawberry.field(description="The cover; null until it is typeset.")
    async def cover(self, info: Info) -> PrintFile | None:
        """Load the cover."""
        return await self._load_file(info, RenditionKind.PRINT_COVER)

    async def _load_file(self, info: Info, kind: RenditionKind) -> PrintFile | None:
        row = (await info.context.loaders.renditions_of_snapshot.load(self.id)).get(kind)
        return PrintFile.of(row) if row else None


@strawberry.federation.type(keys=["id"], description="A parent.")
class User:
    """What the books domain adds to a user."""

    id: strawberry.ID

    @classmethod
    def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self | None:
        """Resolve the caller; other users have no books and children here."""
        return cls(id=id) if info.context.is_caller(id) else None

    @strawberry.federation.field(
        authenticated=True, directives=[PAGED], description="The books, newest first."
    )
    async def books(self, info: Info, first: First = 20, after: After = None) -> Connection[Book]:
        """Load a page of the books."""
        page = await info.context.loaders.books_of_user.load((self.id, PageRequest.of(first, after)))
        return Connection.of(page, [Book.of(row) for row in page.rows])

    @strawberry.federation.field(authenticated=True, directives=[sized(10)])
    async def children(self, info: Info) -> list[Child]:
        """Load the children."""
        return [Child.of(row) for row in await info.context.loaders.children_of_user.load(self.id)]
