"""The mutations of the books domain."""

from __future__ import annotations

import strawberry
from strawberry.federation.schema_directives import Cost

from subgraphs.books import errors, results, service
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
from subgraphs.common import types
from subgraphs.common.consent import ConsentRequired

PARENT = [["parent"]]
# A text is typeset to measure it, or a whole book to print it.
_TYPESETTING = Cost(weight=100)


@strawberry.type
class Mutation:
    """The root mutation fields, one use case each."""

    @strawberry.federation.mutation(
        requires_scopes=PARENT, description="Create a child's profile; requires the consent CHILD_PROFILE."
    )
    async def create_child(self, info: Info, input: CreateChildInput) -> CreateChildResult:
        """Create a child's profile."""
        try:
            child = await service.create_child(
                info.context.runtime, info.context.identity, input.to_details(), input.idempotency_key
            )
        except ConsentRequired as error:
            return types.ConsentRequired.of(error)
        return Child.of(child)

    @strawberry.federation.mutation(
        requires_scopes=PARENT, description="Update a child's profile; existing books stay as they are."
    )
    async def update_child(self, info: Info, input: UpdateChildInput) -> Child:
        """Update a child's profile."""
        child = await service.update_child(
            info.context.runtime, info.context.identity, input.id, input.to_details()
        )
        return Child.of(child)

    @strawberry.federation.mutation(
        requires_scopes=PARENT,
        description="Delete a child and everything made for it: books, versions, pictures and print files.",
    )
    async def delete_child(self, info: Info, id: strawberry.ID) -> strawberry.ID:
        """Delete a child; return its id."""
        await service.delete_child(info.context.runtime, info.context.identity, id)
        return id

    @strawberry.federation.mutation(
        requires_scopes=PARENT,
        directives=[_TYPESETTING],
        description="Create a book from a brief; its pages exist at once, but are empty.",
    )
    async def create_book(self, info: Info, input: CreateBookInput) -> Book:
        """Create a book."""
        book = await service.create_book(
            info.context.runtime,
            info.context.identity,
            input.child_id,
            input.to_brief(),
            input.idempotency_key,
        )
        return Book.of(book)

    @strawberry.federation.mutation(
        requires_scopes=PARENT,
        directives=[_TYPESETTING],
        description="Change the text or layout of a page, as a new version.",
    )
    async def edit_page(self, info: Info, input: EditPageInput) -> EditPageResult:
        """Edit a page."""
        context = info.context
        try:
            page = await service.edit_page(context.runtime, context.identity, input.to_edit())
        except (errors.EditConflict, errors.TextDoesNotFit) as error:
            return await _convert_refusal(info, error)
        return Page.of(page)

    @strawberry.federation.mutation(
        requires_scopes=PARENT,
        description="Restore an earlier version of a page, as a new version.",
    )
    async def revert_page(self, info: Info, input: RevertPageInput) -> EditPageResult:
        """Restore an earlier version of a page."""
        context = info.context
        try:
            page = await service.revert_page(
                context.runtime, context.identity, input.page_id, input.version_id, input.expected_version
            )
        except (errors.EditConflict, errors.TextDoesNotFit) as error:
            return await _convert_refusal(info, error)
        return Page.of(page)

    @strawberry.federation.mutation(
        requires_scopes=PARENT,
        directives=[_TYPESETTING],
        description="Approve a book for print, exactly as it is now.",
    )
    async def approve_book(self, info: Info, input: ApproveBookInput) -> ApproveBookResult:
        """Approve a book."""
        try:
            snapshot = await service.approve_book(
                info.context.runtime, info.context.identity, input.book_id, input.expected_version
            )
        except errors.BookConflict as error:
            book = await info.context.loaders.book.load(error.book_id)
            assert book is not None
            return results.BookConflict(message=str(error), current=Book.of(book))
        except errors.BookIncomplete as error:
            return results.BookIncomplete(message=str(error), pages=error.pages)
        return Snapshot.of(snapshot)


async def _convert_refusal(
    info: Info, error: errors.EditConflict | errors.TextDoesNotFit
) -> results.EditConflict | results.TextDoesNotFit:
    """Convert the error of an edit that was refused to its result."""
    if isinstance(error, errors.TextDoesNotFit):
        return results.TextDoesNotFit(message=str(error), maximum_characters=error.maximum_characters)
    current = await info.context.loaders.page.load(error.page_id)
    assert current is not None
    return results.EditConflict(message=str(error), current=Page.of(current))
