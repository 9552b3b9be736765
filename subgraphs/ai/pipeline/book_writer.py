"""The protocol by which a generation writes into a book; a worker implements it with the books domain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from subgraphs.ai.providers.story import Outline


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """A picture that has been stored."""

    storage_key: str
    sha256: str
    width: int
    height: int
    alt_text: str


class BookWriter(Protocol):
    """Writes results into a book. `key` is the id of the step, and takes effect once.

    Each method raises a DomainError when the book does not exist any more, or the text does not fit.
    """

    async def get_max_lengths(self, book_id: str) -> Mapping[str, int]:
        """Get the number of characters that certainly fit on each page, by page id."""
        ...

    async def put_outline(self, book_id: str, outline: Outline, key: str) -> None:
        """Write the title, the blurb and the pages around the story."""
        ...

    async def put_text(self, page_id: str, text: str, key: str) -> None:
        """Write the text of a page."""
        ...

    async def put_picture(self, book_id: str, page_id: str | None, picture: StoredPicture, key: str) -> str:
        """Put a picture on a page, or on the cover; return the id of the illustration."""
        ...

    async def finish(self, book_id: str, key: str) -> None:
        """Mark the book as ready."""
        ...
