"""The page and cover sizes that the print shop requires for a format, by its published formulas.

Typesetting has its own formulas, so that preflight notices when the two differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Self

_POINTS: Final = 72
_TURN_IN: Final = Decimal("0.75")

# Spine widths of casewrap books: the maximum page count and the width in inches.
_CASEWRAP_SPINES: Final = tuple(
    (pages, Decimal(width))
    for pages, width in (
        (84, "0.25"), (140, "0.5"), (168, "0.625"), (194, "0.6875"), (222, "0.75"), (250, "0.8125"),
        (278, "0.875"), (306, "0.9375"), (334, "1.0"), (360, "1.0625"), (388, "1.125"), (416, "1.1875"),
        (444, "1.25"), (472, "1.3125"), (500, "1.375"), (528, "1.4375"), (556, "1.5"), (582, "1.5625"),
        (610, "1.625"), (638, "1.6875"), (666, "1.75"), (694, "1.8125"), (722, "1.875"), (750, "1.9375"),
        (778, "2.0"), (800, "2.0625"),
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in points, 72 to the inch."""

    width: float
    height: float


@dataclass(frozen=True, slots=True)
class BookFormat:
    """The format of a book as it was approved; lengths are in inches."""

    trim_width: Decimal
    trim_height: Decimal
    bleed: Decimal
    page_count: int

    @classmethod
    def of(cls, trim_width: float, trim_height: float, bleed: float, page_count: int) -> Self:
        """Take the values of the books domain, which are exact as decimal numbers."""
        return cls(Decimal(str(trim_width)), Decimal(str(trim_height)), Decimal(str(bleed)), page_count)


def compute_page_size(book: BookFormat) -> Size:
    """Compute the size of an interior page: the trim size with bleed on all four sides."""
    return _to_points(book.trim_width + 2 * book.bleed, book.trim_height + 2 * book.bleed)


def compute_cover_size(book: BookFormat) -> Size:
    """Compute the size of a casewrap cover: back, spine and front, with turn-in and bleed on all sides."""
    margin = 2 * (book.bleed + _TURN_IN)
    return _to_points(
        2 * book.trim_width + compute_spine_width(book.page_count) + margin, book.trim_height + margin
    )


def compute_spine_width(page_count: int) -> Decimal:
    """Compute the spine width of a casewrap book in inches, for at most 800 pages."""
    return next(width for last, width in _CASEWRAP_SPINES if page_count <= last)


def _to_points(width: Decimal, height: Decimal) -> Size:
    return Size(float(width * _POINTS), float(height * _POINTS))
