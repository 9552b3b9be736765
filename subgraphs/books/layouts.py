"""The layouts of a book: which pages it has, what each layout needs and which ones a page may take."""

from __future__ import annotations

from enum import StrEnum

PAGE_COUNT = 32
SCENES = 14
TITLE_PAGE, IMPRINT_PAGE, DEDICATION_PAGE, CLOSING_PAGE = 1, 2, 3, 32


class Layout(StrEnum):
    """How a page is set."""

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


def text_page(scene: int) -> int:
    """The page with the text of a scene, from 1 to 14; it is a left-hand page."""
    return 2 * scene + 2


def picture_page(scene: int) -> int:
    """The page with the picture of a scene, facing its text."""
    return 2 * scene + 3


def first_layout(number: int) -> Layout:
    """The layout that a page of a new book has."""
    if number in _FIXED:
        return _FIXED[number]
    return Layout.TEXT if number % 2 == 0 else Layout.FULL_BLEED


def layouts_for(number: int) -> frozenset[Layout]:
    """The layouts that a page of this number may take: a scene's may change, the others are fixed."""
    return frozenset({_FIXED[number]}) if number in _FIXED else _SCENE_LAYOUTS


def is_complete(layout: Layout, text: str, *, has_picture: bool) -> bool:
    """Whether a page has everything that its layout shows."""
    return (bool(text) or layout not in _WITH_TEXT) and (has_picture or layout not in _WITH_PICTURE)
