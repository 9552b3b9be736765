"""The errors of the books domain."""

from __future__ import annotations

from subgraphs.common.errors import Conflict, DomainError


class EditConflict(Conflict):
    """The page is no longer at the version that was edited."""

    def __init__(self, page_id: str, *, current: int, expected: int) -> None:
        super().__init__(f"The page is at version {current}; the edit was made on version {expected}.")
        self.page_id = page_id


class BookConflict(Conflict):
    """The book is no longer at the version that was to be approved."""

    def __init__(self, book_id: str, *, current: int, expected: int) -> None:
        super().__init__(f"The book is at version {current}; version {expected} was to be approved.")
        self.book_id = book_id


class BookIncomplete(Conflict):
    """Some pages are not complete."""

    def __init__(self, pages: list[int]) -> None:
        super().__init__(f"These pages are not finished: {', '.join(map(str, pages))}.")
        self.pages = pages


class TextDoesNotFit(DomainError):
    """A text does not fit on its page."""

    code = "TEXT_DOES_NOT_FIT"

    def __init__(self, maximum_characters: int) -> None:
        super().__init__(
            f"At most {maximum_characters} characters of this text fit on the page."
            if maximum_characters
            else "This layout shows no text."
        )
        self.maximum_characters = maximum_characters


class InvalidFileUrl(DomainError):
    """The signature of a file's URL is not valid or has expired."""

    code = "FORBIDDEN"

    def __init__(self) -> None:
        super().__init__("This URL is not valid or has expired.")


class IllustrationChanged(DomainError):
    """A picture in the store is not the file that was approved."""
