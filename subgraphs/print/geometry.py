"""The page and cover sizes that the print shop requires, by its published formulas.

Typesetting has its own formulas, so that preflight notices when the two differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from subgraphs.print.catalogue import Product

_POINTS: Final = 72
_BLEED: Final = Decimal("0.125")
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


def compute_page_size(product: Product) -> Size:
    """Compute the size of an interior page: the trim size with bleed on all four sides."""
    return _to_points(product.trim_width + 2 * _BLEED, product.trim_height + 2 * _BLEED)


def compute_cover_size(product: Product, page_count: int) -> Size:
    """Compute the size of a casewrap cover: back, spine and front, with turn-in and bleed on all sides."""
    margin = 2 * (_BLEED + _TURN_IN)
    return _to_points(
        2 * product.trim_width + compute_spine_width(page_count) + margin,
        product.trim_height + margin,
    )


def compute_spine_width(page_count: int) -> Decimal:
    """Compute the spine width of a casewrap book in inches, for at most 800 pages."""
    return next(width for last, width in _CASEWRAP_SPINES if page_count <= last)


def _to_points(width: Decimal, height: Decimal) -> Size:
    return Size(float(width * _POINTS), float(height * _POINTS))
