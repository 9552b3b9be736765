"""The results of the books domain's mutations."""

from __future__ import annotations

from typing import Annotated

import strawberry

from subgraphs.books.formats import MAX_PAGE_COUNT
from subgraphs.books.types import Book, Child, Page, Snapshot
from subgraphs.common.types import ConsentRequired, sized


@strawberry.type(description="The page is no longer at the expected version; nothing was written.")
class EditConflict:
    """A result of editPage and revertPage."""

    message: str
    current: Page


@strawberry.type(description="The text does not fit the page; nothing was written.")
class TextDoesNotFit:
    """A result of editPage and revertPage."""

    message: str
    maximum_characters: int = strawberry.field(description="The number of characters of this text that fit.")


@strawberry.type(description="The book is no longer at the expected version; nothing was approved.")
class BookConflict:
    """A result of approveBook."""

    message: str
    current: Book


@strawberry.type(description="Some pages are not finished; nothing was approved.")
class BookIncomplete:
    """A result of approveBook."""

    message: str
    pages: list[int] = strawberry.field(directives=[sized(MAX_PAGE_COUNT)])


CreateChildResult = Annotated[Child | ConsentRequired, strawberry.union("CreateChildResult")]
EditPageResult = Annotated[Page | EditConflict | TextDoesNotFit, strawberry.union("EditPageResult")]
ApproveBookResult = Annotated[Snapshot | BookConflict | BookIncomplete, strawberry.union("ApproveBookResult")]
