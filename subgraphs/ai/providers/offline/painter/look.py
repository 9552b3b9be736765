"""The child's look, derived from the parent's description."""

from __future__ import annotations

import re
from dataclasses import dataclass

from subgraphs.ai.providers.offline.plan import create_random, pick
from subgraphs.ai.providers.story import Hero
from subgraphs.common.pronouns import Pronouns

COLOURS = {
    "red": "#d9483b",
    "orange": "#f08a3c",
    "yellow": "#f6c544",
    "gold": "#e9b949",
    "green": "#4f9d69",
    "turquoise": "#3fb0ac",
    "teal": "#2f8f8b",
    "blue": "#3f7fc1",
    "navy": "#2d4a7c",
    "purple": "#8660b0",
    "violet": "#8660b0",
    "lilac": "#b79ad6",
    "pink": "#ee8fae",
    "white": "#f7f3ea",
    "grey": "#8f98a3",
    "gray": "#8f98a3",
    "black": "#3a3a44",
    "brown": "#9a6a43",
}
_HAIR = (
    (r"strawberry|ginger|red|auburn|copper|orange", "#c4562a"),
    (r"white|silver|platinum", "#efe6d2"),
    (r"blond\w*|fair|golden|yellow|light", "#e8c06a"),
    (r"black|jet|raven", "#2b2530"),
    (r"dark|chestnut", "#4b3026"),
    (r"brown|brunette", "#7a4a2b"),
)
_SKIN = (
    (r"black|ebony|deep|very dark", "#6b4430"),
    (r"dark|brown", "#8d5a3b"),
    (r"olive|tan\w*|golden|medium", "#c98f62"),
    (r"fair|pale|light|white|rosy|porcelain", "#f7d3b8"),
)
_GARMENTS = (
    r"raincoat|coat|jacket|dress|skirt|jumper|sweater|pullover|hoodie|t-?shirt|shirt|dungarees|overalls|top"
)
_DEFAULT_SKIN = ("#f3c9a5", "#e0ac7e", "#c68c5f", "#9a653f")
_DEFAULT_FAIR_SKIN = ("#f7d3b8", "#f3c9a5")
_DEFAULT_HAIR = ("#7a4a2b", "#4b3026", "#2b2530", "#b9803f")
_DARK_SKIN = frozenset({"#6b4430", "#8d5a3b", "#9a653f"})
_DARK_HAIR = ("#2b2530", "#3a2a24")
_DEFAULT_CLOTHES = ("#f6c544", "#d9483b", "#3fb0ac", "#8660b0", "#f08a3c")


@dataclass(frozen=True, slots=True)
class Look:
    """How the child is drawn, the same on every page."""

    skin: str
    hair: str
    hair_style: str
    clothes: str
    trousers: str
    dress: bool
    coat: bool
    glasses: bool
    freckles: bool
    hat: str | None
    wheelchair: bool
    scale: float


def derive_look(hero: Hero) -> Look:
    """Derive the look; what the description leaves open is chosen from a seed of the hero."""
    words = hero.appearance.lower()
    random = create_random("look", hero.compute_digest())
    garment = re.search(rf"\b({'|'.join(COLOURS)})\b[\w\s-]{{0,14}}?\b({_GARMENTS})\b", words)
    worn = re.search(rf"\b({_GARMENTS})\b", words)
    hat = re.search(rf"\b({'|'.join(COLOURS)})\b[\w\s-]{{0,10}}?\b(?:hat|cap|beanie)\b", words)
    clothes = COLOURS[garment[1]] if garment else pick(random, _DEFAULT_CLOTHES)
    kind = worn[1] if worn else ""
    skin = _find_colour(_find_words_before(words, "skin"), _SKIN) or pick(random, _list_likely_skins(words))
    return Look(
        skin=skin,
        hair=_find_colour(_find_words_before(words, "hair|curls|braids?|plaits|pigtails|ponytail"), _HAIR)
        or pick(random, _DARK_HAIR if skin in _DARK_SKIN else _DEFAULT_HAIR),
        hair_style=_find_hair_style(words, hero.pronouns),
        clothes=clothes,
        trousers="#3d5a80" if clothes not in {COLOURS["blue"], COLOURS["navy"]} else "#b5773f",
        dress=kind in {"dress", "skirt"},
        coat=kind in {"raincoat", "coat", "jacket"},
        glasses="glasses" in words or "spectacles" in words,
        freckles="freckle" in words,
        hat=COLOURS[hat[1]]
        if hat
        else (COLOURS["red"] if re.search(r"\b(hat|cap|beanie)\b", words) else None),
        wheelchair="wheelchair" in words,
        scale=0.86 + 0.03 * min(max(hero.age, 1), 10),
    )


def _list_likely_skins(words: str) -> tuple[str, ...]:
    """List the skin tones to choose from if the description names none."""
    is_often_fair = re.search(
        r"\b(?:blond\w*|ginger|red hair|blue eyes|green eyes|freckle\w*|fair|pale)\b", words
    )
    return _DEFAULT_FAIR_SKIN if is_often_fair else _DEFAULT_SKIN


def _find_hair_style(words: str, pronouns: Pronouns) -> str:
    for pattern, style in (
        (r"afro", "afro"),
        (r"braids?|plaits", "braids"),
        (r"pigtails|bunches", "pigtails"),
        (r"pony ?tail", "ponytail"),
        (r"\bbun\b", "bun"),
        (r"curl\w*|wavy|frizzy", "curly"),
        (r"\blong\b", "long"),
        (r"\bshort\b|crew|buzz", "short"),
        (r"\bbald\b|no hair", "none"),
    ):
        if re.search(pattern, words):
            return style
    return {Pronouns.SHE: "long", Pronouns.HE: "short", Pronouns.THEY: "bob"}[pronouns]


def _find_words_before(words: str, noun: str) -> str:
    """Find the words before a noun within the same phrase."""
    match = re.search(rf"([\w\s-]{{0,40}})\b(?:{noun})\b", words)
    return re.split(r"\b(?:and|with|has|have|skin|eyes)\b", match[1])[-1] if match else ""


def _find_colour(words: str, colours: tuple[tuple[str, str], ...]) -> str | None:
    return next((colour for pattern, colour in colours if re.search(rf"\b(?:{pattern})\b", words)), None)
