"""The scenes of a story, and the pages that show them: the text on the left, the picture on the right.

page     1 to 3           4        5        6        7       ...  30       31       32
shows    title pages      text 1   picture  text 2   picture ...  text 14  picture  closing
"""

from __future__ import annotations

from typing import Final

SCENES: Final = 14
"""The number of scenes of a story."""


def get_text_page(scene: int) -> int:
    """Get the number of the page with the text of a scene, from 1; it is a left-hand page."""
    return 2 * scene + 2


def get_picture_page(scene: int) -> int:
    """Get the number of the page with the picture of a scene, which faces its text."""
    return get_text_page(scene) + 1


def find_scene_of_page(number: int) -> int | None:
    """Find the scene that a page belongs to; None for the pages around the story."""
    scene = (number - 2) // 2
    return scene if 1 <= scene <= SCENES else None
