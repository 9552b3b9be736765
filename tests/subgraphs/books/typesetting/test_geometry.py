"""The dimensions of a book, compared with the printer's tables and documented examples."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.books.formats import BookFormat, get_format
from subgraphs.books.typesetting.geometry import (
    Size,
    compute_cover_size,
    compute_page_size,
    compute_spine_width,
    has_spine_text,
)

SQUARE = get_format("square-8.5")
PAGE_COUNTS = st.integers(12, 400).map(lambda half: 2 * half)


def build_format(width: float, height: float, bleed: float = 0.125) -> BookFormat:
    return replace(SQUARE, trim_width=width, trim_height=height, bleed=bleed)


def test_a_square_page_with_bleed_is_630_points() -> None:
    assert compute_page_size(SQUARE) == Size(8.75, 8.75)
    assert compute_page_size(SQUARE).points == (630, 630)


def test_a_page_is_as_wide_and_as_high_as_its_format_with_bleed() -> None:
    assert compute_page_size(build_format(9, 7, 0.25)) == Size(9.5, 7.5)
    assert compute_page_size(get_format("square-7.5")).points == (558, 558)


def test_the_cover_of_a_square_casewrap_book_is_19_by_ten_and_a_quarter_inches() -> None:
    assert compute_cover_size(SQUARE, 32) == Size(19.0, 10.25)
    assert compute_cover_size(SQUARE, 32).points == (1368, 738)


@pytest.mark.parametrize(
    ("pages", "spine"),
    [
        (24, 0.25), (84, 0.25), (86, 0.5), (140, 0.5), (142, 0.625), (168, 0.625), (170, 0.6875),
        (194, 0.6875), (250, 0.8125), (334, 1.0), (444, 1.25), (556, 1.5), (666, 1.75), (778, 2.0),
        (780, 2.0625), (800, 2.0625),
    ],
)  # fmt: skip
def test_the_spine_width_follows_the_printers_table(pages: int, spine: float) -> None:
    assert compute_spine_width(pages) == spine


@given(PAGE_COUNTS, PAGE_COUNTS)
def test_more_pages_never_have_a_narrower_spine(some: int, others: int) -> None:
    few, many = sorted((some, others))
    assert 0.25 <= compute_spine_width(few) <= compute_spine_width(many) <= 2.0625


@given(PAGE_COUNTS, st.floats(4, 12), st.floats(4, 12), st.floats(0, 0.5))
def test_a_cover_consists_of_two_panels_the_spine_and_its_edges(
    pages: int, width: float, height: float, bleed: float
) -> None:
    cover = compute_cover_size(build_format(width, height, bleed), pages)
    assert cover.width == pytest.approx(2 * width + compute_spine_width(pages) + 1.5 + 2 * bleed)
    assert cover.height == pytest.approx(height + 1.5 + 2 * bleed)


@pytest.mark.parametrize("pages", [-2, 0, 22, 25, 33, 801, 802])
def test_an_unbindable_page_count_is_refused(pages: int) -> None:
    with pytest.raises(ValueError, match="cannot be bound"):
        compute_spine_width(pages)


def test_the_spine_has_a_title_from_80_pages() -> None:
    assert [has_spine_text(pages) for pages in (32, 78, 80, 200)] == [False, False, True, True]
