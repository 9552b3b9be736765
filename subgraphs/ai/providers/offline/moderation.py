"""Keyword moderation: words that do not belong in a children's book, by category."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from subgraphs.ai.providers.ports import Rejection

_CATEGORIES = {
    "sexual": r"sex\w*|porn\w*|nude\w*|naked|erotic\w*|fetish\w*|rape\w*",
    "violence": r"murder\w*|massacre\w*|behead\w*|tortur\w*|gore|gory|stab(?:s|bed|bing)?|slaughter\w*|"
    r"kill(?:s|ed|ing)? (?:him|her|them|people|everyone|someone|children|his|my)",
    "self-harm": r"suicid\w*|self[- ]?harm\w*|kill(?:s|ing)? (?:my|him|her|them)sel\w+",
    "hate": r"nazis?|hitler|kkk|genocid\w*|white power",
    "illicit": r"cocaine|heroin|meth|crack pipe|bomb[- ]making|build a bomb",
}
_PATTERNS = {category: re.compile(rf"\b(?:{words})\b") for category, words in _CATEGORIES.items()}
_CATEGORIES_BY_SEVERITY = ("self-harm", "sexual", "violence", "hate", "illicit")


def find_rejection(texts: Mapping[str, str]) -> Rejection | None:
    """Reject the first text that contains a listed word; the most severe category wins."""
    for field, text in texts.items():
        plain = unicodedata.normalize("NFKC", text).casefold()
        for category in _CATEGORIES_BY_SEVERITY:
            if _PATTERNS[category].search(plain):
                return Rejection(field, category)
    return None
