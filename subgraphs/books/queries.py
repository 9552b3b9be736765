"""The queries of the books domain."""

from __future__ import annotations

import strawberry

from subgraphs.books import service
from subgraphs.books.types import Book, BookFormat, Child, Info, Page, Snapshot
from subgraphs.common.types import sized


@strawberry.type
class Query:
    """The root query fields."""

    @strawberry.field(directives=[sized(10)], description="The formats that books are made in.")
    def book_formats(self) -> list[BookFormat]:
        """List the formats."""
        return [BookFormat.of(book_format) for book_format in service.list_formats()]

    @strawberry.federation.field(authenticated=True, description="A book of the caller's.")
    async def book(self, info: Info, id: strawberry.ID) -> Book:
        """Find a book; NotFound when it is not the caller's."""
        return info.context.require_found("Book", id, await Book.resolve_reference(info, id))

    @strawberry.federation.field(authenticated=True, description="A page of a book of the caller's.")
    async def page(self, info: Info, id: strawberry.ID) -> Page:
        """Find a page; NotFound when it is not the caller's."""
        return info.context.require_found("Page", id, await Page.resolve_reference(info, id))

    @strawberry.federation.field(authenticated=True, description="A child of the caller's.")
    async def child(self, info: Info, id: strawberry.ID) -> Child:
        """Find a child; NotFound when it is not the caller's."""
        return info.context.require_found("Child", id, await Child.resolve_reference(info, id))

    @strawberry.federation.field(authenticated=True, description="An approved book of the caller's.")
    async def snapshot(self, info: Info, id: strawberry.ID) -> Snapshot:
        """Find a snapshot; NotFound when it is not the caller's."""
        return info.context.require_found("Snapshot", id, await Snapshot.resolve_reference(info, id))
