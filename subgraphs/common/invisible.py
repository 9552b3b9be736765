"""Removal of invisible characters from texts.

The rule: no character may change how a text reads without being seen. Controls of the writing direction
(U+202A to U+202E, U+2066 to U+2069, U+200E, U+200F, U+061C), zero-width spaces, soft hyphens, tags and blank
fillers are removed. Three kinds are kept where a script or an emoji cannot be written without them: joiners
between letters of a joining script or between emoji, one variation selector after the character that it
varies, and the tags of a flag.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_JOINERS: Final = "\u200c\u200d"
# Signs that enclose the digits after them: format characters, but visible.
_VISIBLE: Final = "\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
# Blanks that Unicode counts as letters, marks or symbols.
_FILLERS: Final = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0"
_SELECTOR: Final = "[\ufe00-\ufe0f\U000e0100-\U000e01ef]"
_FLAG: Final = "\U0001f3f4[\U000e0020-\U000e007e]{1,6}\U000e007f"
# The planes that have format characters; looking through all of Unicode would take a sixth of a second.
_FORMAT_PLANES: Final = (*range(0x20000), *range(0xE0000, 0xE1000))
# The first letter of the joining scripts; characters before it never need a joiner.
_FIRST_JOINING: Final = "\u0600"


def _list_format_characters() -> str:
    kept = re.compile(f"[{_JOINERS}{_VISIBLE}]")
    found = (chr(code) for code in _FORMAT_PLANES if unicodedata.category(chr(code)) == "Cf")
    return "".join(char for char in found if not kept.match(char))


_INVISIBLE: Final = re.compile(f"({_FLAG})|[{_list_format_characters()}{_FILLERS}]")
_EXTRA_SELECTORS: Final = re.compile(f"(?:^|(?<=\\s)|(?<={_SELECTOR})){_SELECTOR}+")
_JOINER: Final = re.compile(f"[{_JOINERS}]+")


def remove_invisible(text: str) -> str:
    """Remove the invisible characters that the rule does not keep."""
    if text.isascii():
        return text
    text = _INVISIBLE.sub(lambda found: found[1] or "", text)
    text = _EXTRA_SELECTORS.sub("", text)
    return _JOINER.sub(_keep_joiner, text)


def _keep_joiner(found: re.Match[str]) -> str:
    """Keep one joiner between characters that can be joined; remove any other."""
    text, start, end = found.string, found.start(), found.end()
    joins = start > 0 and end < len(text) and _can_join(text[start - 1]) and _can_join(text[end])
    return found[0][0] if joins else ""


def _can_join(char: str) -> bool:
    return char >= _FIRST_JOINING and unicodedata.category(char)[0] in "LMS"
