"""Checks of text that a client sends, each naming the field it refuses."""

from __future__ import annotations

import unicodedata
from typing import Final

from subgraphs.common.errors import BadUserInput
from subgraphs.common.invisible import without_hidden

_LINE_ENDS: Final = str.maketrans("\u2028\u2029", "\n\n")
# As in the Stream-Safe Text Format of UAX #15: no language needs more marks on one letter, and putting a run
# of them into order takes the square of its length.
_MOST_MARKS: Final = 30


def clean_text(field: str, value: str, *, longest: int, shortest: int = 1, lines: bool = False) -> str:
    """Normalise text to NFC and trim it; refuse it when too short, too long or with control characters.

    Lengths are in characters, and looked at before anything that takes longer than the text is long. Hidden
    characters are taken out. Markup and emoji are text like any other: they are kept, and escaped where they
    are shown.
    """
    require_length(field, value, _longest_raw(longest), told=longest)
    shown = without_hidden(value.translate(_LINE_ENDS))
    _require_few_marks(field, shown)
    text = unicodedata.normalize("NFC", shown).strip()
    if len(text) < shortest or (shortest and not _shows(text)):
        raise BadUserInput(field, f"{field} must have at least {shortest} character{'s' * (shortest > 1)}.")
    require_length(field, text, longest)
    allowed = "\n" if lines else ""
    if any(unicodedata.category(char) in {"Cc", "Cs"} and char not in allowed for char in text):
        raise BadUserInput(field, f"{field} must not have control characters.")
    return text


def require_length(field: str, value: str, longest: int, *, told: int | None = None) -> None:
    """Refuse a text of more characters; `told` is the limit that the refusal names."""
    if len(value) > longest:
        raise BadUserInput(
            field, f"{field} must have at most {told or longest} characters; it has {len(value)}."
        )


def in_range(field: str, value: int, least: int, most: int) -> int:
    """Return the value when `least <= value <= most`; refuse it otherwise."""
    if not least <= value <= most:
        raise BadUserInput(field, f"{field} must be from {least} to {most}; it is {value}.")
    return value


def small_number(text: str, digits: int) -> int | None:
    """The whole number that a text of at most so many decimal digits is; None for any other text."""
    return int(text) if len(text) <= digits and text.isascii() and text.isdigit() else None


def _longest_raw(longest: int) -> int:
    """How long a text may come in: composed and trimmed it is shorter, but never by more than this."""
    return 4 * longest + 100


def _require_few_marks(field: str, value: str) -> None:
    if value.isascii():
        return
    run = 0
    for char in value:
        run = run + 1 if unicodedata.combining(char) else 0
        if run > _MOST_MARKS:
            raise BadUserInput(field, f"{field} must not have more than {_MOST_MARKS} marks on one letter.")


def _shows(text: str) -> bool:
    return any(unicodedata.category(char)[0] in "LNPS" for char in text)
