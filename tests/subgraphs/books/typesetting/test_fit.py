"""How much text fits on a page, compared with the typeset page."""

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from subgraphs.books.layouts import Layout
from subgraphs.books.typesetting.fit import MAX_CHARACTERS, Box, count_fitting_characters
from tests.subgraphs.books.typesetting.manuscripts import (
    PICTURES,
    build_manuscript_with_page,
    typeset_interior,
)

BOXES = [box for box, characters in MAX_CHARACTERS.items() if characters]
WIDEST = ["W", "WWWWW WWW ", "WWWWWWWWWWWWWW ", "MMMM ", "🦊", "🦊 "]
PAGES = {Layout.TITLE: 1, Layout.IMPRINT: 2, Layout.DEDICATION: 3, Layout.TEXT: 4, Layout.CLOSING: 32}
SAFE = (45, 585)


@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("letters", WIDEST)
def test_the_longest_text_fits_even_in_the_widest_characters(box: Box, letters: str) -> None:
    text = (letters * MAX_CHARACTERS[box])[: MAX_CHARACTERS[box]]
    assert count_fitting_characters(box, text) == MAX_CHARACTERS[box]


@pytest.mark.parametrize("box", BOXES)
def test_one_character_more_does_not_fit(box: Box) -> None:
    assert count_fitting_characters(box, "i" * (MAX_CHARACTERS[box] + 1)) == MAX_CHARACTERS[box]


@pytest.mark.parametrize("box", BOXES)
def test_short_lines_need_space_too(box: Box) -> None:
    text = "a\n" * (MAX_CHARACTERS[box] // 2)
    fitting = count_fitting_characters(box, text)
    if box is Layout.TITLE:
        assert fitting == len(text), "a subtitle's lines are joined"
    else:
        assert 0 < fitting < len(text)
        assert count_fitting_characters(box, text[:fitting]) == fitting


@pytest.mark.parametrize("box", list(MAX_CHARACTERS))
def test_empty_text_always_fits(box: Box) -> None:
    assert count_fitting_characters(box, "") == 0


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(BOXES),
    st.text(st.sampled_from("aW i\n.🦊ÿ\"'#*_$<\\"), min_size=1, max_size=700),
)
def test_the_fitting_part_of_a_text_fits(box: Box, text: str) -> None:
    fitting = count_fitting_characters(box, text)
    assert count_fitting_characters(box, text[:fitting]) == fitting


@pytest.mark.parametrize("layout", [*PAGES, Layout.TEXT_BELOW])
@pytest.mark.parametrize("letters", ["W", "Wide words wander westward. "])
def test_the_longest_text_stays_within_the_safe_area_in_print(layout: Layout, letters: str) -> None:
    number = PAGES.get(layout, 4)
    text = (letters * MAX_CHARACTERS[layout])[: MAX_CHARACTERS[layout]].strip()
    interior = typeset_interior(
        build_manuscript_with_page(number, layout=layout, text=text, illustration=next(iter(PICTURES)))
    )
    positions: list[tuple[float, float]] = []

    def record(fragment: str, page: list[float], line: list[float], *_: object) -> None:
        if fragment.strip():
            across, along = line[4], line[5]
            positions.append(
                (
                    across * page[0] + along * page[2] + page[4],
                    across * page[1] + along * page[3] + page[5],
                )
            )

    page = PdfReader(BytesIO(interior.content)).pages[number - 1]
    printed = page.extract_text(visitor_text=record)
    assert printed.count("W") == text.count("W")
    assert len(positions) > 3
    assert all(SAFE[0] <= x <= SAFE[1] and SAFE[0] <= y <= SAFE[1] for x, y in positions), positions
