"""Checks of text that a client sends, each naming the field it refuses."""

from __future__ import annotations

import unicodedata
from typing import Final

from subgraphs.common.errors import BadUserInput
from subgraphs.common.invisible import remove_invisible

_LINE_ENDS: Final = str.maketrans("\u2028\u2029", "\n\n")
# As in the Stream-Safe Text Format of UAX #15: no language needs more marks on one letter, and ordering a run
# of them takes time quadratic in its length.
_MAX_MARKS: Final = 30


def clean_text(field: str, value: str, *, max_length: int, min_length: int = 1, lines: bool = False) -> str:
    """Normalise text to NFC and trim it; refuse it when too short, too long or with control characters.

    Lengths are in characters, and checked before anything whose cost is more than linear in them. Hidden
    characters are removed. Markup and emoji are kept, and escaped where they are shown.
    """
    require_length(field, value, _max_raw_length(max_length), reported=max_length)
    shown = remove_invisible(value.translate(_LINE_ENDS))
    _require_few_marks(field, shown)
    text = unicodedata.normalize("NFC", shown).strip()
    if len(text) < min_length or (min_length and not _is_visible(text)):
        raise BadUserInput(
            field, f"{field} must have at least {min_length} character{'s' * (min_length > 1)}."
        )
    require_length(field, text, max_length)
    allowed = "\n" if lines else ""
    if any(unicodedata.category(char) in {"Cc", "Cs"} and char not in allowed for char in text):
        raise BadUserInput(field, f"{field} must not have control characters.")
    return text


def require_length(field: str, value: str, max_length: int, *, reported: int | None = None) -> None:
    """Refuse a text of more characters; `reported` is the limit that the refusal names."""
    if len(value) > max_length:
        raise BadUserInput(
            field, f"{field} must have at most {reported or max_length} characters; it has {len(value)}."
        )


def in_range(field: str, value: int, minimum: int, maximum: int) -> int:
    """Return the value when `minimum <= value <= maximum`; refuse it otherwise."""
    if not minimum <= value <= maximum:
        raise BadUserInput(field, f"{field} must be from {minimum} to {maximum}; it is {value}.")
    return value


def small_number(text: str, digits: int) -> int | None:
    """The whole number that a text of at most so many decimal digits is; None for any other text."""
    return int(text) if len(text) <= digits and text.isascii() and text.isdigit() else None


def _max_raw_length(max_length: int) -> int:
    """The limit before NFC and trimming, which shorten a text by no more than this."""
    return 4 * max_length + 100


def _require_few_marks(field: str, value: str) -> None:
    if value.isascii():
        return
    run = 0
    for char in value:
        run = run + 1 if unicodedata.combining(char) else 0
        if run > _MAX_MARKS:
            raise BadUserInput(field, f"{field} must not have more than {_MAX_MARKS} marks on one letter.")


def _is_visible(text: str) -> bool:
    return any(unicodedata.category(char)[0] in "LNPS" for char in text)
