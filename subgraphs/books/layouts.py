"""The pages of a book and their layouts.

page     1 to 3           4        5        6        7       ...  last but 2  last but 1  last
shows    title pages      text 1   picture  text 2   picture ...  last text   picture     closing
"""

from __future__ import annotations

from enum import StrEnum

TITLE_PAGE, IMPRINT_PAGE, DEDICATION_PAGE = 1, 2, 3


class Layout(StrEnum):
    """The arrangement of text and picture on a page."""

    TITLE = "TITLE"
    IMPRINT = "IMPRINT"
    DEDICATION = "DEDICATION"
    TEXT = "TEXT"
    FULL_BLEED = "FULL_BLEED"
    TEXT_BELOW = "TEXT_BELOW"
    CLOSING = "CLOSING"


_TITLE_LAYOUTS = {
    TITLE_PAGE: Layout.TITLE,
    IMPRINT_PAGE: Layout.IMPRINT,
    DEDICATION_PAGE: Layout.DEDICATION,
}
_WITH_PICTURE = frozenset({Layout.FULL_BLEED, Layout.TEXT_BELOW})
_WITH_TEXT = frozenset({Layout.TITLE, Layout.DEDICATION, Layout.TEXT, Layout.TEXT_BELOW, Layout.CLOSING})


def find_scene(number: int, page_count: int) -> int | None:
    """Find the scene that a page shows, from 1; None for the pages around the story."""
    return (number - 2) // 2 if DEDICATION_PAGE < number < page_count else None


def get_first_layout(number: int, page_count: int) -> Layout:
    """Get the layout of a page of a new book: a scene has its text on the left, its picture on the right."""
    if find_scene(number, page_count):
        return Layout.FULL_BLEED if number % 2 else Layout.TEXT
    return _TITLE_LAYOUTS.get(number, Layout.CLOSING)


def is_complete(layout: Layout, text: str, *, has_picture: bool) -> bool:
    """Whether a page has the text and the picture that its layout shows."""
    return (bool(text) or layout not in _WITH_TEXT) and (has_picture or layout not in _WITH_PICTURE)
