"""Checks of values that a client sends; BadUserInput names the field of a value that is not valid."""

from __future__ import annotations

import unicodedata
from typing import Final

from subgraphs.common.errors import BadUserInput
from subgraphs.common.invisible import remove_invisible

_LINE_ENDS: Final = str.maketrans("\u2028\u2029", "\n\n")
# As in the Stream-Safe Text Format of UAX #15: no language needs more marks on one letter, and sorting a run
# of marks takes time quadratic in its length.
_MAX_MARKS: Final = 30


def clean_text(field: str, value: str, *, max_length: int, min_length: int = 1, lines: bool = False) -> str:
    """Normalise a text to NFC and trim it; BadUserInput when its length or a character is not allowed.

    Lengths are in characters, and are checked before any step that takes more than linear time. Invisible
    characters are removed; markup and emoji are kept. With `lines`, the text may have line feeds.
    """
    require_length(field, value, _compute_max_raw_length(max_length), reported=max_length)
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
    """Raise BadUserInput for a text with more characters; `reported` is the limit that the error names."""
    if len(value) > max_length:
        raise BadUserInput(
            field, f"{field} must have at most {reported or max_length} characters; it has {len(value)}."
        )


def require_in_range(field: str, value: int, minimum: int, maximum: int) -> int:
    """Return the value; BadUserInput unless `minimum <= value <= maximum`."""
    if not minimum <= value <= maximum:
        raise BadUserInput(field, f"{field} must be from {minimum} to {maximum}; it is {value}.")
    return value


def parse_small_number(text: str, digits: int) -> int | None:
    """Parse a non-negative integer of at most so many decimal digits; None for any other text."""
    return int(text) if len(text) <= digits and text.isascii() and text.isdigit() else None


def _compute_max_raw_length(max_length: int) -> int:
    """Compute a limit for the text before normalisation and trimming, which may shorten it."""
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
