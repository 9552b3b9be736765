"""The pages of a book and their layouts."""

from __future__ import annotations

from enum import StrEnum

PAGE_COUNT = 32
TITLE_PAGE, IMPRINT_PAGE, DEDICATION_PAGE, CLOSING_PAGE = 1, 2, 3, 32


class Layout(StrEnum):
    """The arrangement of text and picture on a page."""

    TITLE = "TITLE"
    IMPRINT = "IMPRINT"
    DEDICATION = "DEDICATION"
    TEXT = "TEXT"
    FULL_BLEED = "FULL_BLEED"
    TEXT_BELOW = "TEXT_BELOW"
    CLOSING = "CLOSING"


_FIXED = {
    TITLE_PAGE: Layout.TITLE,
    IMPRINT_PAGE: Layout.IMPRINT,
    DEDICATION_PAGE: Layout.DEDICATION,
    CLOSING_PAGE: Layout.CLOSING,
}
_SCENE_LAYOUTS = frozenset({Layout.TEXT, Layout.FULL_BLEED, Layout.TEXT_BELOW})
_WITH_PICTURE = frozenset({Layout.FULL_BLEED, Layout.TEXT_BELOW})
_WITH_TEXT = frozenset({Layout.TITLE, Layout.DEDICATION, Layout.TEXT, Layout.TEXT_BELOW, Layout.CLOSING})


def get_first_layout(number: int) -> Layout:
    """Get the layout of a page of a new book."""
    if number in _FIXED:
        return _FIXED[number]
    return Layout.TEXT if number % 2 == 0 else Layout.FULL_BLEED


def list_layouts(number: int) -> frozenset[Layout]:
    """List the layouts that a page can have: those of scenes can change, the others are fixed."""
    return frozenset({_FIXED[number]}) if number in _FIXED else _SCENE_LAYOUTS


def is_complete(layout: Layout, text: str, *, has_picture: bool) -> bool:
    """Whether a page has the text and the picture that its layout shows."""
    return (bool(text) or layout not in _WITH_TEXT) and (has_picture or layout not in _WITH_PICTURE)
