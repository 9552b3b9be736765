"""The sizes a print shop demands, by its published formulas.

Lengths are in points, 72 to the inch. Typesetting has formulas of its own; preflight checks that both agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from subgraphs.print.catalogue import Product

_POINTS: Final = 72
_BLEED: Final = Decimal("0.125")
_WRAP: Final = Decimal("0.75")

# The last page count of each board of the case, with the width of its spine in inches.
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
    """Width and height in points."""

    width: float
    height: float


def interior_page(product: Product) -> Size:
    """The size of each page of the interior: the trim and the bleed on all four sides."""
    return _size(product.trim_width + 2 * _BLEED, product.trim_height + 2 * _BLEED)


def cover_sheet(product: Product, page_count: int) -> Size:
    """The size of the one sheet of a casewrap: back, spine and front, and what folds around the boards."""
    margin = 2 * (_BLEED + _WRAP)
    return _size(
        2 * product.trim_width + casewrap_spine(page_count) + margin,
        product.trim_height + margin,
    )


def casewrap_spine(page_count: int) -> Decimal:
    """The width of the spine in inches, for up to 800 pages."""
    return next(width for last, width in _CASEWRAP_SPINES if page_count <= last)


def _size(width: Decimal, height: Decimal) -> Size:
    return Size(float(width * _POINTS), float(height * _POINTS))
