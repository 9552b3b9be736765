"""Money, ids and the checks of text."""

from __future__ import annotations

import unicodedata
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.common.errors import BadUserInput
from subgraphs.common.ids import new_id
from subgraphs.common.money import Money
from subgraphs.common.validation import clean_text, in_range

AMOUNTS = st.integers(-(10**15), 10**15)


@given(st.lists(AMOUNTS))
def test_a_sum_of_money_is_exact(amounts: list[int]) -> None:
    assert sum((Money(amount, "USD") for amount in amounts), Money.zero("USD")) == Money(sum(amounts), "USD")


@given(AMOUNTS, st.integers(0, 1000))
def test_money_times_a_number_is_that_many_of_it(amount: int, factor: int) -> None:
    price = Money(amount, "EUR")
    assert price * factor == sum([price] * factor, Money.zero("EUR"))


@given(AMOUNTS, AMOUNTS)
def test_money_of_two_currencies_does_not_add_up(first: int, second: int) -> None:
    with pytest.raises(ValueError, match="cannot add EUR to USD"):
        Money(first, "USD") + Money(second, "EUR")


def test_ids_are_prefixed_and_sort_by_when_they_were_made() -> None:
    ids = [new_id("book") for _ in range(200)]
    assert all(id_.startswith("book_") and len(id_) <= 40 for id_ in ids)
    assert len(set(ids)) == 200
    assert ids == sorted(ids)


@given(st.text(max_size=60))
def test_clean_text_is_normal_text_or_none_at_all(value: str) -> None:
    with suppress(BadUserInput):
        text = clean_text("name", value, longest=40)
        assert text == text.strip() == unicodedata.normalize("NFC", text)
        assert 1 <= len(text) <= 40
        assert clean_text("name", text, longest=40) == text


def test_a_refusal_names_the_field() -> None:
    with pytest.raises(BadUserInput) as refused:
        clean_text("child.name", "", longest=40)
    assert refused.value.extensions == {"code": "BAD_USER_INPUT", "field": "child.name"}


@pytest.mark.parametrize("value", ["Zoë 👩🏽‍🚀", "<b>bold</b>", "' OR 1=1 --", "ﷺ", "שלום", "日本語"])
def test_text_of_any_kind_is_kept(value: str) -> None:
    assert clean_text("name", f" {value}\t", longest=40) == value


@pytest.mark.parametrize("value", ["a\x00b", "a\nb", "a\x1bb", "a\x85b", "a\ud800b"])
def test_control_characters_are_refused(value: str) -> None:
    with pytest.raises(BadUserInput, match="control characters"):
        clean_text("name", value, longest=40)


def test_lines_are_text_where_they_are_allowed() -> None:
    assert clean_text("wish", "one\ntwo", longest=40, lines=True) == "one\ntwo"


def test_length_is_counted_after_trimming() -> None:
    assert clean_text("name", "  " + "x" * 40 + "  ", longest=40) == "x" * 40
    with pytest.raises(BadUserInput, match="at most 40 characters; it has 41"):
        clean_text("name", "x" * 41, longest=40)
    with pytest.raises(BadUserInput, match="at least 2 characters"):
        clean_text("name", "  x ", longest=40, shortest=2)


@given(st.integers())
def test_a_number_is_in_range_or_refused(value: int) -> None:
    if 1 <= value <= 5:
        assert in_range("quantity", value, 1, 5) == value
    else:
        with pytest.raises(BadUserInput, match="from 1 to 5"):
            in_range("quantity", value, 1, 5)
