"""Ids and the checks of text."""

from __future__ import annotations

import sys
import time
import unicodedata
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.common.errors import BadUserInput
from subgraphs.common.ids import new_id
from subgraphs.common.invisible import remove_invisible
from subgraphs.common.validation import clean_text, parse_small_number, require_in_range


def test_ids_are_prefixed_and_sort_by_creation_time() -> None:
    ids = [new_id("book") for _ in range(200)]
    assert all(id_.startswith("book_") and len(id_) <= 40 for id_ in ids)
    assert len(set(ids)) == 200
    assert ids == sorted(ids)


@given(st.text(max_size=60))
def test_cleaned_text_is_normalised_or_refused(value: str) -> None:
    with suppress(BadUserInput):
        text = clean_text("name", value, max_length=40)
        assert text == text.strip() == unicodedata.normalize("NFC", text)
        assert 1 <= len(text) <= 40
        assert clean_text("name", text, max_length=40) == text


def test_a_refusal_names_the_field() -> None:
    with pytest.raises(BadUserInput) as refused:
        clean_text("child.name", "", max_length=40)
    assert refused.value.extensions == {"code": "BAD_USER_INPUT", "field": "child.name"}


@pytest.mark.parametrize("value", ["Zoë 👩🏽‍🚀", "<b>bold</b>", "' OR 1=1 --", "ﷺ", "שלום", "日本語"])
def test_text_of_any_kind_is_kept(value: str) -> None:
    assert clean_text("name", f" {value}\t", max_length=40) == value


BOMBS = {
    "marks": "a" + "\u0301" * 60_000 + "\u0327" * 60_000,
    "marks at the limit": ("a" + "\u0301\u0327" * 15) * 600,
    "marks with hidden between": "a" + ("\u0301" * 30 + "\u200b") * 80 + ("\u0327" * 30 + "\u200b") * 80,
    "joiners": "\u0915\u200d" * 10_000,
    "hidden": "\u202e" * 20_000,
    "expanding": "\ufdfa" * 20_000,
    "spaces": " " * 1_000_000,
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_cleaning_takes_linear_time(bomb: str) -> None:
    before = time.thread_time()
    with pytest.raises(BadUserInput):
        clean_text("text", BOMBS[bomb], max_length=5000)
    assert time.thread_time() - before < 0.2


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("Mia\u202e", "Mia"),
        ("\u2067Mia\u2069", "Mia"),
        ("Mi\u200ba\ufeff", "Mia"),
        ("Mi\u200da", "Mia"),
        ("M\u00adia \U000e0041\U000e0042", "Mia"),
        ("a\u200b\u0301", "\u00e1"),
        ("a\ufe0f\ufe0f", "a\ufe0f"),
        ("\u3164Mia", "Mia"),
    ],
)
def test_invisible_characters_are_removed(value: str, kept: str) -> None:
    assert clean_text("name", value, max_length=40) == kept


def test_all_format_characters_of_unicode_are_removed_but_joiners_and_visible_signs() -> None:
    characters = map(chr, range(sys.maxunicode + 1))
    text = "".join(char for char in characters if unicodedata.category(char) == "Cf")
    visible = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
    assert remove_invisible(text) == visible


@pytest.mark.parametrize(
    "value",
    ["👨‍👩‍👧‍👦", "❤️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "می‌خواهم", "क्‍ष", "葛󠄀城", "مايا", "1️⃣"],
)
def test_joiners_that_scripts_and_emoji_need_are_kept(value: str) -> None:
    assert clean_text("name", value, max_length=40) == value


@pytest.mark.parametrize("value", ["\u200b", "\u2800\u3164", "\u0301", "\u202e\u202c", "\u200d\u200d"])
def test_a_name_of_invisible_characters_is_too_short(value: str) -> None:
    with pytest.raises(BadUserInput, match="at least 1 character"):
        clean_text("name", value, max_length=40)


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("42", 42), ("1" * 12, int("1" * 12)), ("1" * 13, None), ("9" * 5000, None)]
    + [(text, None) for text in ("", "-1", "1.5", "٣", "1_0", " 1")],
)
def test_numbers_with_too_many_digits_are_refused(text: str, number: int | None) -> None:
    assert parse_small_number(text, digits=12) == number


@pytest.mark.parametrize("value", ["a\x00b", "a\nb", "a\x1bb", "a\x85b", "a\ud800b"])
def test_control_characters_are_refused(value: str) -> None:
    with pytest.raises(BadUserInput, match="control characters"):
        clean_text("name", value, max_length=40)


def test_line_breaks_are_kept_where_they_are_allowed() -> None:
    assert clean_text("wish", "one\ntwo", max_length=40, lines=True) == "one\ntwo"


def test_length_is_counted_after_trimming() -> None:
    assert clean_text("name", "  " + "x" * 40 + "  ", max_length=40) == "x" * 40
    with pytest.raises(BadUserInput, match="at most 40 characters; it has 41"):
        clean_text("name", "x" * 41, max_length=40)
    with pytest.raises(BadUserInput, match="at least 2 characters"):
        clean_text("name", "  x ", max_length=40, min_length=2)


@given(st.integers())
def test_a_number_is_in_range_or_refused(value: int) -> None:
    if 1 <= value <= 5:
        assert require_in_range("quantity", value, 1, 5) == value
    else:
        with pytest.raises(BadUserInput, match="from 1 to 5"):
            require_in_range("quantity", value, 1, 5)
