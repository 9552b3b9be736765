"""The offline writer: coherent, deterministic stories about the child that fit their pages."""

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subgraphs.ai.providers.offline import moderation, phrases
from subgraphs.ai.providers.offline.tales import TALES
from subgraphs.ai.providers.offline.wish import Wish, read_wish
from subgraphs.ai.providers.offline.writer import describe, write_outline, write_scene
from subgraphs.ai.providers.ports import Rejection
from subgraphs.ai.providers.story import Hero, StoryBrief
from subgraphs.common.pronouns import Pronouns

MIA = Hero(
    "Mia", 5, Pronouns.SHE, "curly brown hair, brown skin and a yellow raincoat", ("dinosaurs", "drawing")
)
BRIEF = StoryBrief(MIA, "Mia wants to find a friend", "ADVENTURE", "en", None, scenes=14)
ROOM = 420

words = (
    st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=60)
    .map(str.strip)
    .filter(bool)
)
heroes = st.builds(
    Hero,
    name=words,
    age=st.integers(0, 12),
    pronouns=st.sampled_from(Pronouns),
    appearance=st.text(max_size=300),
    interests=st.lists(words, max_size=5).map(tuple),
)
briefs = st.builds(
    StoryBrief,
    hero=heroes,
    wish=st.text(min_size=1, max_size=1000),
    theme=st.sampled_from(sorted(TALES)),
    language=st.just("en"),
    dedication=st.none(),
    scenes=st.integers(10, 14),
    edition=st.integers(0, 3),
)


def write_story(brief: StoryBrief, take: int = 0) -> list[str]:
    return [write_scene(brief, number, take, ROOM) for number in range(1, brief.scenes + 1)]


def split_sentences(texts: Sequence[str]) -> list[str]:
    return [sentence for text in texts for sentence in re.split(r"(?<=[.!?”]) (?=[“A-Z])", text)]


@pytest.mark.parametrize("theme", sorted(TALES))
@pytest.mark.parametrize("edition", range(3))
def test_a_story_is_fourteen_scenes_at_a_picture_books_length(theme: str, edition: int) -> None:
    texts = write_story(replace(BRIEF, theme=theme, edition=edition))
    assert len(texts) == 14
    assert all(20 <= len(text.split()) <= 60 for text in texts)
    assert 25 <= sum(len(text.split()) for text in texts) / 14 <= 45
    assert "Mia" in texts[0]
    assert "find a friend" in texts[1]
    assert "find a friend" in texts[12]
    sentences = split_sentences(texts)
    assert len(sentences) >= 42
    assert len(sentences) == len(set(sentences))


def test_a_shorter_story_begins_at_home_fails_once_and_comes_true() -> None:
    texts, whole = write_story(replace(BRIEF, scenes=10)), write_outline(BRIEF).scenes
    outline = write_outline(replace(BRIEF, scenes=10))
    assert len(texts) == len(outline.scenes) == 10
    assert [scene.number for scene in outline.scenes] == list(range(1, 11))
    summaries = [scene.summary for scene in outline.scenes]
    assert summaries[0] == whole[0].summary == "We meet Mia at home."
    assert "The try fails." in summaries
    assert summaries[-2].endswith("and the wish comes true.")
    assert "find a friend" in texts[8]


@pytest.mark.parametrize("scenes", [0, 9, 15])
def test_a_story_of_another_length_is_refused(scenes: int) -> None:
    with pytest.raises(ValueError, match="cannot be told"):
        write_outline(replace(BRIEF, scenes=scenes))


def test_no_sentence_of_the_grammar_is_used_in_two_places() -> None:
    templates = [template for scene in phrases.BEATS for slot in scene for template in slot]
    assert len(templates) == len(set(templates))


def test_the_same_brief_gives_the_same_book_and_another_edition_another() -> None:
    assert write_story(BRIEF) == write_story(replace(BRIEF, hero=replace(MIA)))
    assert write_outline(BRIEF) == write_outline(BRIEF)
    assert write_story(replace(BRIEF, edition=1)) != write_story(BRIEF)


def test_another_take_tells_the_same_scene_in_other_words() -> None:
    first, second = write_scene(BRIEF, 6, 0, ROOM), write_scene(BRIEF, 6, 1, ROOM)
    assert first != second
    assert "Rumble" in first
    assert "Rumble" in second


def test_the_animal_of_the_wish_or_else_of_the_interests_is_the_helper() -> None:
    assert "a green dinosaur" in " ".join(write_story(BRIEF))
    with_dragon = replace(BRIEF, wish="a story about a dragon who is afraid of the dark")
    assert "a little dragon" in " ".join(write_story(with_dragon))


@pytest.mark.parametrize(
    ("pronouns", "expected"),
    [(Pronouns.SHE, "She had curly"), (Pronouns.HE, "He had curly"), (Pronouns.THEY, "They had curly")],
)
def test_the_pronouns_of_the_child_are_used(pronouns: Pronouns, expected: str) -> None:
    texts = write_story(replace(BRIEF, hero=replace(MIA, pronouns=pronouns)))
    assert expected in texts[0]
    assert "They was" not in " ".join(texts)


def test_the_parents_dedication_comes_first() -> None:
    assert write_outline(replace(BRIEF, dedication="For my star")).dedication == "For my star"
    assert "Mia" in write_outline(BRIEF).dedication


def test_markup_braces_and_emoji_in_a_name_are_plain_text() -> None:
    name = "<b>{Zoë}</b> 🦊"
    brief = replace(BRIEF, hero=replace(MIA, name=name))
    assert name in write_story(brief)[0]
    assert name in write_outline(brief).title
    assert name in describe(brief, None)


@settings(max_examples=60, deadline=None)
@given(briefs, st.integers(0, 5), st.integers(0, 500))
def test_any_brief_gives_a_story_that_fits(brief: StoryBrief, take: int, max_length: int) -> None:
    for number in range(1, brief.scenes + 1):
        assert len(write_scene(brief, number, take, max_length)) <= max_length
    texts = write_story(brief)
    assert all(texts)
    outline = write_outline(brief)
    assert [scene.number for scene in outline.scenes] == list(range(1, brief.scenes + 1))
    assert len(outline.title) <= 80
    assert len(outline.blurb) <= 400


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("Mia wants to learn to swim. She is shy.", Wish(do="learn to swim")),
        ("to fly like a bird!", Wish(do="fly like a bird")),
        ("find the lost teddy", Wish(do="find the lost teddy")),
        ("Please write me a story about a dragon who is shy.", Wish(topic="a dragon who is shy")),
        ("A bedtime story about trains", Wish(topic="trains")),
        ("a pirate ship", Wish(topic="a pirate ship")),
        ("My son dreams of the moon", Wish(topic="the moon")),
        ("A story about Mia learning to swim", Wish(topic="learning to swim")),
        ("We move house soon and it is hard!", Wish(words="We move house soon and it is hard!")),
        ("🦊🦊", Wish(words="🦊🦊")),
    ],
)
def test_a_wish_is_read_as_a_deed_a_topic_or_words(text: str, wish: Wish) -> None:
    assert read_wish(text, "Mia") == wish


def test_a_long_wish_is_truncated_at_a_word() -> None:
    wish = read_wish("to see " + "very " * 60 + "much", "Mia")
    assert wish.do is not None
    assert len(wish.do) <= 111
    assert wish.do.endswith("very…")


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("they stabbed him", "violence"),
        ("\uff30\uff2f\uff32\uff2e", "sexual"),
        ("How to build a bomb", "illicit"),
        ("Essex, a classy assassin bug, and grapes", None),
        ("A skilled knight who kills time", None),
    ],
)
def test_moderation_matches_whole_words(text: str, category: str | None) -> None:
    expected = Rejection("wish", category) if category else None
    assert moderation.find_rejection({"wish": text}) == expected
