"""The dimensions of a book of a format in inches, by the printer's published formulas."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from subgraphs.books.formats import BookFormat

POINTS_PER_INCH = 72
TURN_IN = 0.75
SPINE_TEXT_FROM_PAGES = 80
MIN_PAGES, MAX_PAGES = 24, 800

# Spine widths of casewrap books: (maximum number of pages, width in inches).
_SPINES = (
    (84, 0.25), (140, 0.5), (168, 0.625), (194, 0.6875), (222, 0.75), (250, 0.8125), (278, 0.875),
    (306, 0.9375), (334, 1.0), (360, 1.0625), (388, 1.125), (416, 1.1875), (444, 1.25), (472, 1.3125),
    (500, 1.375), (528, 1.4375), (556, 1.5), (582, 1.5625), (610, 1.625), (638, 1.6875), (666, 1.75),
    (694, 1.8125), (722, 1.875), (750, 1.9375), (778, 2.0), (800, 2.0625),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Size:
    """A width and a height in inches."""

    width: float
    height: float

    @property
    def points(self) -> tuple[float, float]:
        """Width and height in points."""
        return self.width * POINTS_PER_INCH, self.height * POINTS_PER_INCH


def compute_page_size(book_format: BookFormat) -> Size:
    """Compute the size of an interior page: the trim size with bleed on all four sides."""
    edge = 2 * book_format.bleed
    return Size(book_format.trim_width + edge, book_format.trim_height + edge)


def compute_spine_width(pages: int) -> float:
    """Compute the spine width of a casewrap book in inches; ValueError when it cannot be bound."""
    if not MIN_PAGES <= pages <= MAX_PAGES or pages % 2:
        raise ValueError(f"{pages} pages cannot be bound as a casewrap book")
    return _SPINES[bisect_left(_SPINES, (pages, 0.0))][1]


def compute_cover_size(book_format: BookFormat, pages: int) -> Size:
    """Compute the size of a casewrap cover: back, spine and front, with turn-in and bleed on all sides."""
    edge = 2 * compute_cover_edge(book_format)
    width = 2 * book_format.trim_width + compute_spine_width(pages) + edge
    return Size(width, book_format.trim_height + edge)


def compute_cover_edge(book_format: BookFormat) -> float:
    """Compute the width of the edge of a cover that is not seen from outside: the turn-in and the bleed."""
    return TURN_IN + book_format.bleed


def has_spine_text(pages: int) -> bool:
    """Whether the spine is wide enough for a title."""
    return pages >= SPINE_TEXT_FROM_PAGES
