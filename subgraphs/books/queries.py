"""The queries of the books domain."""

from __future__ import annotations

from typing import TypeVar

import strawberry

from subgraphs.books.types import Book, Child, Info, Page, Snapshot
from subgraphs.common.errors import NotFound, Unauthenticated

Thing = TypeVar("Thing")


@strawberry.type
class Query:
    """The root query fields; what is not the caller's is not found."""

    @strawberry.federation.field(authenticated=True, description="A book of the caller's.")
    async def book(self, info: Info, id: strawberry.ID) -> Book:
        """Find a book."""
        return _require(info, "Book", id, await Book.resolve_reference(info, id))

    @strawberry.federation.field(authenticated=True, description="A page of a book of the caller's.")
    async def page(self, info: Info, id: strawberry.ID) -> Page:
        """Find a page."""
        return _require(info, "Page", id, await Page.resolve_reference(info, id))

    @strawberry.federation.field(authenticated=True, description="A child of the caller's.")
    async def child(self, info: Info, id: strawberry.ID) -> Child:
        """Find a child."""
        return _require(info, "Child", id, await Child.resolve_reference(info, id))

    @strawberry.federation.field(authenticated=True, description="An approved book of the caller's.")
    async def snapshot(self, info: Info, id: strawberry.ID) -> Snapshot:
        """Find a snapshot."""
        return _require(info, "Snapshot", id, await Snapshot.resolve_reference(info, id))


def _require(info: Info, kind: str, id: str, thing: Thing | None) -> Thing:
    if thing is not None:
        return thing
    raise NotFound(kind, id) if info.context.caller else Unauthenticated
