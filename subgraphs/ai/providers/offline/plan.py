"""The plan of one book: which tale is told, who helps, and how everything is called."""

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
from subgraphs.ai.providers.protocol import Pronouns, StoryBrief

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
"""The fields of a tale that are filled in."""

_LONGEST_NAME = 24
_LONGEST_PART = 40
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
    """Everything that stays the same through one book."""

    tale: Tale
    words: Mapping[str, str]
    wish: Wish

    def fill(self, template: str) -> str:
        """Fill a template in; its first letter becomes a capital, unless it is the child's own name's."""
        text = template.format_map(self.words)
        if template.lstrip("“").startswith("{name}"):
            return text
        start = next((index for index, char in enumerate(text) if char.isalnum()), 0)
        return text[:start] + text[start : start + 1].upper() + text[start + 1 :]


def seeded(*parts: object) -> Random:
    """A random source that depends on these parts and nothing else."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return Random(int.from_bytes(digest[:8]))  # noqa: S311 - choices of words, not of secrets


def make_plan(brief: StoryBrief) -> Plan:
    """Plan the book that this brief always gives."""
    random = seeded("plan", brief.digest())
    tale = _with_helper(_tale(brief, random), brief)
    hero = brief.hero
    name = _short_name(hero.name)
    wish = read_wish(brief.wish, hero.name)
    base = _pronoun_words(hero.pronouns) | {"name": name, "helper": tale.helper_name}
    words = dict(base)
    for field in _TEMPLATES:
        words[field] = getattr(tale, field).format_map(base)
    interests = tuple(interest for interest in hero.interests if len(interest) <= _LONGEST_PART)
    interests = interests or ("asking questions", "finding things out")
    words |= {
        "Wonder": words["wonder"][:1].upper() + words["wonder"][1:],
        "look": _look(hero.appearance),
        "interests": _listed(interests[:3]),
        "interest": pick(random, interests),
        "lesson": _lesson(interests),
        "wish_told": wish.told.format_map(base),
        "wish_granted": wish.granted.format_map(base),
    }
    return Plan(tale, words, wish)


def pick(random: Random, choices: Sequence[Choice]) -> Choice:
    """One of several."""
    return choices[random.randrange(len(choices))]


def _tale(brief: StoryBrief, random: Random) -> Tale:
    told = brief.wish.lower()
    places = [view for view, words in _PLACES if re.search(rf"\b(?:{words})\b", told)]
    tales = TALES.get(brief.theme, TALES["ADVENTURE"])
    fitting = [tale for tale in tales if tale.land_view in places]
    if not fitting and brief.theme == "ADVENTURE":
        every = [tale for known in TALES.values() for tale in known]
        fitting = [tale for view in places[:1] for tale in every if tale.land_view == view]
    return pick(random, fitting or tales)


def _with_helper(tale: Tale, brief: StoryBrief) -> Tale:
    """Let the animal of the wish, or else of the interests, be the one that helps."""
    for source in (brief.wish, " ".join(brief.hero.interests)):
        for word in re.findall(r"[a-z]+", source.lower()):
            known = _HELPERS.get(word) or _HELPERS.get(word.removesuffix("s"))
            if known is not None and known[0] != tale.helper_kind:
                kind, name, look = known
                return replace(tale, helper_kind=kind, helper_name=name, helper_look=look)
            if known is not None:
                return tale
    return tale


def _pronoun_words(pronouns: Pronouns) -> dict[str, str]:
    words = _PRONOUNS[pronouns]
    return words | {key.capitalize(): word.capitalize() for key, word in words.items()}


def _look(appearance: str) -> str:
    """The appearance as something that a child has: `curly brown hair and green eyes`."""
    parts = [
        _LOOK_LEAD.sub("", part.strip(" .!"))
        for part in _LOOK_PARTS.split(appearance)
        if _LOOKS.search(part) and len(part) <= _LONGEST_PART
    ]
    return _listed(tuple(parts[:3])) or "bright, curious eyes"


def _short_name(name: str) -> str:
    """The name as it is called out: a very long one by its first word."""
    return name if len(name) <= _LONGEST_NAME else name.split(maxsplit=1)[0][:_LONGEST_NAME]


def _listed(things: Sequence[str]) -> str:
    if len(things) < 2:
        return "".join(things)
    return f"{', '.join(things[:-1])} and {things[-1]}"


def _lesson(interests: Sequence[str]) -> str:
    joined = " ".join(interests).lower()
    return next((lesson for keys, lesson in LESSONS if any(key in joined for key in keys)), COMMON_LESSON)
