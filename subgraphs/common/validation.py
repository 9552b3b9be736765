"""Checks of text that a client sends, each naming the field it refuses."""

from __future__ import annotations

import unicodedata

from subgraphs.common.errors import BadUserInput


def clean_text(field: str, value: str, *, longest: int, shortest: int = 1, lines: bool = False) -> str:
    """Normalise text to NFC and trim it; refuse it when too short, too long or with control characters.

    Lengths are in characters. Markup and emoji are text like any other: they are kept, and escaped where
    they are shown.
    """
    text = unicodedata.normalize("NFC", value).strip()
    if len(text) < shortest:
        raise BadUserInput(field, f"{field} must have at least {shortest} character{'s' * (shortest > 1)}.")
    if len(text) > longest:
        raise BadUserInput(field, f"{field} must have at most {longest} characters; it has {len(text)}.")
    allowed = "\n" if lines else ""
    if any(unicodedata.category(char) in {"Cc", "Cs"} and char not in allowed for char in text):
        raise BadUserInput(field, f"{field} must not have control characters.")
    return text


def in_range(field: str, value: int, least: int, most: int) -> int:
    """Return the value when `least <= value <= most`; refuse it otherwise."""
    if not least <= value <= most:
        raise BadUserInput(field, f"{field} must be from {least} to {most}; it is {value}.")
    return value
