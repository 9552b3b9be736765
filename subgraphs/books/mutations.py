"""What can be done with children, books and pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import strawberry
from strawberry.federation.schema_directives import Cost

from subgraphs.books import errors, models, results, service
from subgraphs.books.inputs import (
    ApproveBookInput,
    CreateBookInput,
    CreateChildInput,
    EditPageInput,
    RevertPageInput,
    UpdateChildInput,
)
from subgraphs.books.results import ApproveBookResult, CreateChildResult, EditPageResult
from subgraphs.books.types import Book, Child, Info, Page, Snapshot
from subgraphs.common.unit_of_work import UnitOfWork

PARENT = [["parent"]]
# A text is set to see whether it fits, or a whole book to be printed.
_TYPESETTING = Cost(weight=100)


@strawberry.type
class Mutation:
    """Each field is one transaction."""

    @strawberry.federation.mutation(
        requires_scopes=PARENT, description="Describe a child; the consent CHILD_PROFILE must stand."
    )
    async def create_child(self, info: Info, input: CreateChildInput) -> CreateChildResult:
        """Keep a child's profile."""
        parent = info.context.identity
        parent.require("parent")
        try:
            await service.require_child_consent(info.context.runtime.graph, parent)
        except errors.ConsentRequired as missing:
            return results.ConsentRequired(purpose=missing.purpose, message=str(missing))
        async with info.context.unit_of_work() as uow:
            child = await service.create_child(uow, parent, input.details())
        return Child.of(child)

    @strawberry.federation.mutation(
        requires_scopes=PARENT, description="Correct a child's profile; books that exist stay as they are."
    )
    async def update_child(self, info: Info, input: UpdateChildInput) -> Child:
        """Change what is given, keep the rest."""
        async with info.context.unit_of_work() as uow:
            child = await service.update_child(uow, info.context.identity, input.id, input.details())
        return Child.of(child)

    @strawberry.federation.mutation(
        requires_scopes=PARENT,
        description="Delete a child with everything made for it: books, versions, pictures and print files.",
    )
    async def delete_child(self, info: Info, id: strawberry.ID) -> strawberry.ID:
        """Delete for good; gives back the id that is gone."""
        async with info.context.unit_of_work() as uow:
            await service.delete_child(uow, info.context.identity, id)
        return id

    @strawberry.federation.mutation(
        requires_scopes=PARENT,
        directives=[_TYPESETTING],
        description="Ask for a book. It has all its pages at once, empty as yet.",
    )
    async def create_book(self, info: Info, input: CreateBookInput) -> Book:
        """Make a draft from a brief."""
        async with info.context.unit_of_work() as uow:
            book = await service.create_book(uow, info.context.identity, input.child_id, input.brief())
        return Book.of(book)

    @strawberry.federation.mutation(
        requires_scopes=PARENT,
        directives=[_TYPESETTING],
        description="Give a page another text or layout, as a new version.",
    )
    async def edit_page(self, info: Info, input: EditPageInput) -> EditPageResult:
        """Edit on top of the version that was seen."""
        parent, edit = info.context.identity, input.edit()
        return await _edited(info, lambda uow: service.edit_page(uow, parent, edit))

    @strawberry.federation.mutation(
        requires_scopes=PARENT,
        description="Make an earlier version of a page current again, as a new version.",
    )
    async def revert_page(self, info: Info, input: RevertPageInput) -> EditPageResult:
        """Take changes back."""
        parent = info.context.identity
        return await _edited(
            info,
            lambda uow: service.revert_page(
                uow, parent, input.page_id, input.version_id, input.expected_version
            ),
        )

    @strawberry.federation.mutation(
        requires_scopes=PARENT,
        directives=[_TYPESETTING],
        description="Approve a book exactly as it is now, for print.",
    )
    async def approve_book(self, info: Info, input: ApproveBookInput) -> ApproveBookResult:
        """Freeze what will be printed."""
        try:
            async with info.context.unit_of_work() as uow:
                snapshot = await service.approve_book(
                    uow, info.context.identity, input.book_id, input.expected_version
                )
        except errors.BookConflict as conflict:
            book = await info.context.loaders.book.load(conflict.book_id)
            assert book is not None
            return results.BookConflict(message=str(conflict), current=Book.of(book))
        except errors.BookIncomplete as incomplete:
            return results.BookIncomplete(message=str(incomplete), pages=incomplete.pages)
        return Snapshot.of(snapshot)


async def _edited(info: Info, change: Callable[[UnitOfWork], Awaitable[models.Page]]) -> EditPageResult:
    """The page after a change, or why there was none."""
    try:
        async with info.context.unit_of_work() as uow:
            page = await change(uow)
    except errors.EditConflict as conflict:
        current = await info.context.loaders.page.load(conflict.page_id)
        assert current is not None
        return results.EditConflict(message=str(conflict), current=Page.of(current))
    except errors.TextDoesNotFit as too_long:
        return results.TextDoesNotFit(message=str(too_long), maximum_characters=too_long.maximum_characters)
    return Page.of(page)
