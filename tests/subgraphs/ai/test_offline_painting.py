"""The offline painter: a consistent look of the child, pictures without text, and printable files."""

import struct
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subgraphs.ai.providers.offline.painter.look import COLOURS, derive_look
from subgraphs.ai.providers.offline.painter.picture import SIZE, paint
from subgraphs.ai.providers.offline.painter.stage import compose
from subgraphs.ai.providers.offline.tales import TALES
from subgraphs.ai.providers.offline.writer import describe, write_outline
from subgraphs.ai.providers.story import Hero, StoryBrief
from subgraphs.common.pronouns import Pronouns

MIA = Hero("Mia", 5, Pronouns.SHE, "curly red hair, brown skin, a yellow raincoat and glasses", ())
BRIEF = StoryBrief(MIA, "to find a friend", "ADVENTURE", "en", None, scenes=14)
NUMBERS = [*range(1, 15), None]
DRAWN = {
    "circle",
    "defs",
    "ellipse",
    "g",
    "line",
    "linearGradient",
    "path",
    "polygon",
    "radialGradient",
    "rect",
    "stop",
    "svg",
}


def test_a_picture_is_an_rgb_png_that_prints_a_page_with_its_bleed() -> None:
    png = paint(BRIEF, 6, 0)
    signature, width, height, depth, colour = struct.unpack_from(">8s8xIIBB", png)
    assert signature == b"\x89PNG\r\n\x1a\n"
    assert (width, height) == (SIZE, SIZE) == (2625, 2625)
    assert (depth, colour in {2, 6}) == (8, True)
    assert len(png) < 2_000_000
    assert paint(BRIEF, 6, 0) == png


@pytest.mark.parametrize("theme", sorted(TALES))
@pytest.mark.parametrize("edition", range(3))
def test_every_scene_of_every_tale_can_be_drawn_and_contains_no_text(theme: str, edition: int) -> None:
    brief = replace(BRIEF, theme=theme, edition=edition)
    pictures = [compose(brief, number, 0) for number in NUMBERS]
    assert len(set(pictures)) == 15
    for picture in pictures:
        names = {element.tag.rpartition("}")[2] for element in ET.fromstring(picture).iter()}  # noqa: S314 - our own
        assert names <= DRAWN


def test_the_pictures_of_a_shorter_story_show_what_its_outline_says() -> None:
    shorter = replace(BRIEF, scenes=10)
    pictures = [compose(shorter, number, 0) for number in range(1, 11)]
    assert len(set(pictures)) == 10
    pillow = "M110 600 Q120 560"
    assert [pillow in picture for picture in pictures] == [False] * 9 + [True]
    described = [describe(shorter, number) for number in range(1, 11)]
    assert described == [scene.picture for scene in write_outline(shorter).scenes]
    assert described[-1].startswith("Mia sleeps in bed")


def test_the_child_looks_the_same_on_every_picture() -> None:
    look = derive_look(MIA)
    for number in NUMBERS:
        picture = compose(BRIEF, number, 0)
        assert look.skin in picture
        assert look.hair in picture
        assert look.clothes in picture


def test_another_take_gives_another_picture_of_the_same_scene() -> None:
    assert compose(BRIEF, 5, 1) != compose(BRIEF, 5, 0)
    assert compose(BRIEF, 5, 1) == compose(BRIEF, 5, 1)


def test_the_look_is_parsed_from_the_description_of_the_parent() -> None:
    look = derive_look(MIA)
    assert (look.skin, look.hair, look.hair_style) == ("#8d5a3b", "#c4562a", "curly")
    assert (look.clothes, look.coat, look.dress, look.glasses) == (COLOURS["yellow"], True, False, True)


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        ("two long blond braids", "hair_style", "braids"),
        ("long blond hair", "hair", "#e8c06a"),
        ("short black hair", "hair_style", "short"),
        ("freckles", "freckles", True),
        ("uses a wheelchair", "wheelchair", True),
        ("a green woolly hat", "hat", COLOURS["green"]),
        ("a blue summer dress", "dress", True),
        ("dark skin and black hair", "skin", "#8d5a3b"),
        ("black hair and pale skin", "skin", "#f7d3b8"),
    ],
)
def test_each_trait_changes_the_picture(words: str, field: str, value: object) -> None:
    assert getattr(derive_look(replace(MIA, appearance=words)), field) == value


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=200), st.text(min_size=1, max_size=60), st.sampled_from(NUMBERS))
def test_texts_of_the_parent_do_not_appear_in_the_drawing(
    appearance: str, name: str, number: int | None
) -> None:
    hero = replace(MIA, appearance=f"{appearance}<script>", name=f"<text>{name}&")
    picture = compose(replace(BRIEF, hero=hero), number, 0)
    assert "script" not in picture
    assert ET.fromstring(picture) is not None  # noqa: S314 - our own
