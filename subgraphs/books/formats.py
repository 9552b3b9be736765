"""The formats that books are made in: trim sizes, page counts and layouts, which other domains ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from subgraphs.books.layouts import Layout
from subgraphs.common.errors import BadUserInput, NotFound


@dataclass(frozen=True, slots=True)
class BookFormat:
    """A format; its sizes are in inches.

    `page_counts` begins with the one of a book whose parent has not chosen another. `scene_layouts` are the
    layouts that the pages of a scene can have.
    """

    id: str
    name: str
    trim_width: float
    trim_height: float
    bleed: float
    safety_margin: float
    page_counts: tuple[int, ...]
    scene_layouts: frozenset[Layout]

    def choose_page_count(self, wanted: int | None) -> int:
        """Return the wanted page count, or the first without one; BadUserInput when it is not allowed."""
        if wanted is None:
            return self.page_counts[0]
        if wanted not in self.page_counts:
            allowed = " or ".join(map(str, self.page_counts))
            raise BadUserInput("pageCount", f"A book of the format {self.id} has {allowed} pages.")
        return wanted


DEFAULT_FORMAT: Final = "square-8.5"

_FORMATS: Final = (
    BookFormat(
        id=DEFAULT_FORMAT,
        name="Square picture book",
        trim_width=8.5,
        trim_height=8.5,
        bleed=0.125,
        safety_margin=0.5,
        page_counts=(32, 24),
        scene_layouts=frozenset({Layout.TEXT, Layout.FULL_BLEED, Layout.TEXT_BELOW}),
    ),
    BookFormat(
        id="square-7.5",
        name="Small square picture book",
        trim_width=7.5,
        trim_height=7.5,
        bleed=0.125,
        safety_margin=0.5,
        page_counts=(24,),
        # Below a picture, a long text would be too small to read aloud from.
        scene_layouts=frozenset({Layout.TEXT, Layout.FULL_BLEED}),
    ),
)
_BY_ID: Final = {book_format.id: book_format for book_format in _FORMATS}

MAX_PAGE_COUNT: Final = max(count for book_format in _FORMATS for count in book_format.page_counts)
"""The largest page count of any format."""


def list_formats() -> tuple[BookFormat, ...]:
    """List all formats."""
    return _FORMATS


def get_format(format_id: str) -> BookFormat:
    """Get a format by its id; NotFound when there is none."""
    if format_id not in _BY_ID:
        raise NotFound("BookFormat", format_id)
    return _BY_ID[format_id]
