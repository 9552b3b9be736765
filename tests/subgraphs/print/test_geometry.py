"""The print shop's sizes, against its published examples."""

from decimal import Decimal

import pytest

from subgraphs.print.catalogue import get_product
from subgraphs.print.geometry import Size, compute_cover_size, compute_page_size, compute_spine_width

CASEWRAP = get_product("casewrap-8.5-square")


def test_an_interior_page_has_the_trim_size_plus_the_bleed() -> None:
    assert compute_page_size(CASEWRAP) == Size(630.0, 630.0)


def test_the_cover_of_32_pages_is_19_by_10_and_a_quarter_inches() -> None:
    assert compute_cover_size(CASEWRAP, 32) == Size(19.0 * 72, 10.25 * 72)


@pytest.mark.parametrize(
    ("pages", "inches"),
    [(24, "0.25"), (84, "0.25"), (85, "0.5"), (140, "0.5"), (141, "0.625"), (306, "0.9375"), (800, "2.0625")],
)
def test_the_spine_width_grows_in_steps(pages: int, inches: str) -> None:
    assert compute_spine_width(pages) == Decimal(inches)
