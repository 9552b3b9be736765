"""The plan of one book: its tale, its helper, and the words that fill its templates."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import TypeVar

from subgraphs.ai.providers.offline.phrases import COMMON_LESSON, LESSONS
from subgraphs.ai.providers.offline.tales import TALES, Tale
from subgraphs.ai.providers.offline.wish import Wish, read_wish
from subgraphs.ai.providers.story import StoryBrief
from subgraphs.common.pronouns import Pronouns

Choice = TypeVar("Choice")

_TEMPLATES = (
    "virtue",
    "sign",
    "road",
    "land",
    "wonder",
    "helper_look",
    "obstacle",
    "obstacle_name",
    "goal",
    "first_try",
    "failure",
    "counsel",
    "second_try",
    "success",
    "gift",
    "title",
)
"""The fields of a tale that are templates."""

_MAX_NAME_LENGTH = 24
_MAX_PART_LENGTH = 40
_PRONOUNS = {
    Pronouns.SHE: {"they": "she", "them": "her", "their": "her", "was": "was"},
    Pronouns.HE: {"they": "he", "them": "him", "their": "his", "was": "was"},
    Pronouns.THEY: {"they": "they", "them": "them", "their": "their", "was": "were"},
}

_HELPERS: Mapping[str, tuple[str, str, str]] = {
    "dragon": ("dragon", "Ember", "a little dragon who smelled of toast"),
    "dinosaur": ("dinosaur", "Rumble", "a green dinosaur with freckles on its nose"),
    "fox": ("fox", "Bramble", "a small fox with one white ear"),
    "owl": ("owl", "Tuva", "a round owl with spectacles of white feathers"),
    "bear": ("bear", "Juniper", "a young bear with honey on its paws"),
    "rabbit": ("rabbit", "Clover", "a rabbit with grass behind both ears"),
    "bunny": ("rabbit", "Clover", "a rabbit with grass behind both ears"),
    "cat": ("cat", "Mistral", "a stripy cat with very fine whiskers"),
    "kitten": ("cat", "Mistral", "a stripy kitten with very fine whiskers"),
    "dog": ("dog", "Button", "a spotted dog with one ear up and one ear down"),
    "puppy": ("dog", "Button", "a spotted puppy with one ear up and one ear down"),
    "turtle": ("turtle", "Otto", "an old turtle with a shell like a treasure map"),
    "whale": ("whale", "Bo", "a young whale with a song too big for it"),
    "robot": ("robot", "Bolt", "a small robot with one blue eye and a squeaky wheel"),
}

_PLACES: tuple[tuple[str, str], ...] = (
    ("sea", r"sea|ocean|pirates?|ships?|boats?|mermaids?|whales?|islands?|sail\w*|swim\w*|beach|underwater"),
    ("space", r"space|rockets?|astronauts?|planets?|aliens?|galax\w+|stars?|comets?"),
    ("moon", r"moon"),
    ("mountain", r"mountains?|caves?|climb\w*|fly\w*|dark"),
    ("forest", r"forests?|woods?|jungles?|trees?|fairy|fairies|gnomes?"),
    ("meadow", r"meadows?|farms?|kites?|ponies|pony|horses?|garden"),
)

_LOOKS = re.compile(
    r"hair|eyes|glasses|freckles|curls|braids?|plaits|pigtails|ponytail|bun|dimples|hat|cap|scarf|boots|coat|"
    r"raincoat|jacket|dress|skirt|jumper|sweater|hoodie|shirt|dungarees|overalls|wheelchair|smile",
    re.IGNORECASE,
)
_LOOK_PARTS = re.compile(r"\s*(?:,|;|\band\b|\bwith\b|\n)\s*", re.IGNORECASE)
_LOOK_LEAD = re.compile(
    r"^(?:(?:she|he|they|it)\s+(?:has|have|is|are)\s+|has\s+|have\s+|a\s+(?=\w+\s+\w+s\b))", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a book: everything that is the same on all its pages."""

    tale: Tale
    words: Mapping[str, str]
    wish: Wish

    def fill(self, template: str) -> str:
        """Fill in a template and capitalise its first letter, unless it begins with the child's name."""
        text = template.format_map(self.words)
        if template.lstrip("“").startswith("{name}"):
            return text
        start = next((index for index, char in enumerate(text) if char.isalnum()), 0)
        return text[:start] + text[start : start + 1].upper() + text[start + 1 :]


def create_random(*parts: object) -> Random:
    """Create a random number generator with a seed that depends only on these parts."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return Random(int.from_bytes(digest[:8]))  # noqa: S311 - not used for secrets


def make_plan(brief: StoryBrief) -> Plan:
    """Plan a book; the same brief always gives the same plan."""
    random = create_random("plan", brief.compute_digest())
    tale = _adapt_helper(_choose_tale(brief, random), brief)
    hero = brief.hero
    name = _shorten_name(hero.name)
    wish = read_wish(brief.wish, hero.name)
    base = _build_pronoun_words(hero.pronouns) | {"name": name, "helper": tale.helper_name}
    words = dict(base)
    for field in _TEMPLATES:
        words[field] = getattr(tale, field).format_map(base)
    interests = tuple(interest for interest in hero.interests if len(interest) <= _MAX_PART_LENGTH)
    interests = interests or ("asking questions", "finding things out")
    words |= {
        "Wonder": words["wonder"][:1].upper() + words["wonder"][1:],
        "look": _summarize_appearance(hero.appearance),
        "interests": _join_words(interests[:3]),
        "interest": pick(random, interests),
        "lesson": _choose_lesson(interests),
        "wish_introduction": wish.introduction.format_map(base),
        "wish_fulfilment": wish.fulfilment.format_map(base),
    }
    return Plan(tale, words, wish)


def pick(random: Random, choices: Sequence[Choice]) -> Choice:
    """Choose one item at random."""
    return choices[random.randrange(len(choices))]


def _choose_tale(brief: StoryBrief, random: Random) -> Tale:
    wish = brief.wish.lower()
    places = [view for view, words in _PLACES if re.search(rf"\b(?:{words})\b", wish)]
    tales = TALES.get(brief.theme, TALES["ADVENTURE"])
    fitting = [tale for tale in tales if tale.land_view in places]
    if not fitting and brief.theme == "ADVENTURE":
        every = [tale for known in TALES.values() for tale in known]
        fitting = [tale for view in places[:1] for tale in every if tale.land_view == view]
    return pick(random, fitting or tales)


def _adapt_helper(tale: Tale, brief: StoryBrief) -> Tale:
    """Make an animal named in the wish, or else in the interests, the helper."""
    for source in (brief.wish, " ".join(brief.hero.interests)):
        for word in re.findall(r"[a-z]+", source.lower()):
            known = _HELPERS.get(word) or _HELPERS.get(word.removesuffix("s"))
            if known is not None and known[0] != tale.helper_kind:
                kind, name, look = known
                return replace(tale, helper_kind=kind, helper_name=name, helper_look=look)
            if known is not None:
                return tale
    return tale


def _build_pronoun_words(pronouns: Pronouns) -> dict[str, str]:
    words = _PRONOUNS[pronouns]
    return words | {key.capitalize(): word.capitalize() for key, word in words.items()}


def _summarize_appearance(appearance: str) -> str:
    """The appearance as an object of "had": `curly brown hair and green eyes`."""
    parts = [
        _LOOK_LEAD.sub("", part.strip(" .!"))
        for part in _LOOK_PARTS.split(appearance)
        if _LOOKS.search(part) and len(part) <= _MAX_PART_LENGTH
    ]
    return _join_words(tuple(parts[:3])) or "bright, curious eyes"


def _shorten_name(name: str) -> str:
    """Reduce a very long name to its first word."""
    return name if len(name) <= _MAX_NAME_LENGTH else name.split(maxsplit=1)[0][:_MAX_NAME_LENGTH]


def _join_words(words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _choose_lesson(interests: Sequence[str]) -> str:
    joined = " ".join(interests).lower()
    return next((lesson for keys, lesson in LESSONS if any(key in joined for key in keys)), COMMON_LESSON)
