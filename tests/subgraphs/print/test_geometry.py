"""The print shop's sizes, against its published examples."""

from decimal import Decimal

import pytest

from subgraphs.print.geometry import (
    BookFormat,
    Size,
    compute_cover_size,
    compute_page_size,
    compute_spine_width,
)

SQUARE = BookFormat.of(8.5, 8.5, 0.125, 32)
SMALL = BookFormat.of(7.5, 7.5, 0.125, 24)
LANDSCAPE = BookFormat.of(9.0, 7.0, 0.1, 86)


def test_an_interior_page_has_the_trim_size_plus_the_bleed() -> None:
    assert compute_page_size(SQUARE) == Size(630.0, 630.0)
    assert compute_page_size(SMALL) == Size(558.0, 558.0)
    assert compute_page_size(LANDSCAPE) == Size(9.2 * 72, 7.2 * 72)


def test_the_cover_of_32_pages_is_19_by_10_and_a_quarter_inches() -> None:
    assert compute_cover_size(SQUARE) == Size(19.0 * 72, 10.25 * 72)


def test_a_cover_has_the_trim_the_bleed_and_the_spine_of_its_book() -> None:
    assert compute_cover_size(SMALL) == Size(17.0 * 72, 9.25 * 72)
    assert compute_cover_size(LANDSCAPE) == Size(1454.4, 626.4)


@pytest.mark.parametrize(
    ("pages", "inches"),
    [(24, "0.25"), (84, "0.25"), (85, "0.5"), (140, "0.5"), (141, "0.625"), (306, "0.9375"), (800, "2.0625")],
)
def test_the_spine_width_grows_in_steps(pages: int, inches: str) -> None:
    assert compute_spine_width(pages) == Decimal(inches)
