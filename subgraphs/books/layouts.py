"""The pages of a book and their layouts."""

from __future__ import annotations

from enum import StrEnum

from subgraphs.common.scenes import SCENES, find_scene_of_page, get_picture_page, get_text_page

TITLE_PAGE, IMPRINT_PAGE, DEDICATION_PAGE = 1, 2, 3
CLOSING_PAGE = PAGE_COUNT = get_picture_page(SCENES) + 1


class Layout(StrEnum):
    """The arrangement of text and picture on a page."""

    TITLE = "TITLE"
    IMPRINT = "IMPRINT"
    DEDICATION = "DEDICATION"
    TEXT = "TEXT"
    FULL_BLEED = "FULL_BLEED"
    TEXT_BELOW = "TEXT_BELOW"
    CLOSING = "CLOSING"


_FIRST_LAYOUTS = {
    TITLE_PAGE: Layout.TITLE,
    IMPRINT_PAGE: Layout.IMPRINT,
    DEDICATION_PAGE: Layout.DEDICATION,
    **{get_text_page(scene): Layout.TEXT for scene in range(1, SCENES + 1)},
    **{get_picture_page(scene): Layout.FULL_BLEED for scene in range(1, SCENES + 1)},
    CLOSING_PAGE: Layout.CLOSING,
}
_SCENE_LAYOUTS = frozenset({Layout.TEXT, Layout.FULL_BLEED, Layout.TEXT_BELOW})
_WITH_PICTURE = frozenset({Layout.FULL_BLEED, Layout.TEXT_BELOW})
_WITH_TEXT = frozenset({Layout.TITLE, Layout.DEDICATION, Layout.TEXT, Layout.TEXT_BELOW, Layout.CLOSING})


def get_first_layout(number: int) -> Layout:
    """Get the layout of a page of a new book."""
    return _FIRST_LAYOUTS[number]


def list_layouts(number: int) -> frozenset[Layout]:
    """List the layouts that a page can have: those of scenes can change, the others are fixed."""
    return _SCENE_LAYOUTS if find_scene_of_page(number) else frozenset({_FIRST_LAYOUTS[number]})


def is_complete(layout: Layout, text: str, *, has_picture: bool) -> bool:
    """Whether a page has the text and the picture that its layout shows."""
    return (bool(text) or layout not in _WITH_TEXT) and (has_picture or layout not in _WITH_PICTURE)
