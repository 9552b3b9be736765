"""Scenes: each has a spread of its own between the title pages and the closing page."""

from __future__ import annotations

import pytest

from subgraphs.common.scenes import SCENES, find_scene_of_page, get_picture_page, get_text_page


def test_every_scene_has_a_spread_and_no_page_has_two() -> None:
    spreads = [(get_text_page(scene), get_picture_page(scene)) for scene in range(1, SCENES + 1)]
    assert spreads == [(left, left + 1) for left in range(4, 32, 2)]


@pytest.mark.parametrize("scene", range(1, SCENES + 1))
def test_both_pages_of_a_scene_lead_back_to_it(scene: int) -> None:
    assert find_scene_of_page(get_text_page(scene)) == find_scene_of_page(get_picture_page(scene)) == scene


@pytest.mark.parametrize("number", [-1, 0, 1, 2, 3, 32, 33])
def test_pages_around_the_story_have_no_scene(number: int) -> None:
    assert find_scene_of_page(number) is None
