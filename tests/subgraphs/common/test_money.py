"""Money: exact sums, explicit rounding, and allocations that lose nothing."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.common.money import Money, Rounding, get_exponent

AMOUNTS = st.integers(-(10**15), 10**15)
RATIOS = st.fractions(-10, 10, max_denominator=10_000)
WEIGHTS = st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any)
EXACT = Context(prec=60)


@given(st.lists(AMOUNTS))
def test_a_sum_of_money_is_exact(amounts: list[int]) -> None:
    assert sum((Money(amount, "USD") for amount in amounts), Money.zero("USD")) == Money(sum(amounts), "USD")


@given(AMOUNTS, AMOUNTS)
def test_subtracting_undoes_adding(first: int, second: int) -> None:
    price, fee = Money(first, "USD"), Money(second, "USD")
    assert price + fee - fee == price


@given(AMOUNTS, st.integers(0, 1000))
def test_money_can_be_multiplied_by_a_number(amount: int, factor: int) -> None:
    price = Money(amount, "EUR")
    assert price * factor == sum([price] * factor, Money.zero("EUR"))


@given(st.lists(AMOUNTS, min_size=2))
def test_money_is_ordered_by_its_amount(amounts: list[int]) -> None:
    prices = sorted(Money(amount, "EUR") for amount in amounts)
    assert [price.amount for price in prices] == sorted(amounts)
    assert all(lower <= higher for lower, higher in pairwise(prices))


@given(AMOUNTS, AMOUNTS)
def test_money_of_two_currencies_is_neither_added_nor_compared(first: int, second: int) -> None:
    dollars, euros = Money(first, "USD"), Money(second, "EUR")
    assert dollars != euros
    with pytest.raises(ValueError, match="cannot add EUR and USD"):
        dollars + euros
    with pytest.raises(ValueError, match="cannot subtract EUR and USD"):
        dollars - euros
    with pytest.raises(ValueError, match="cannot compare EUR and USD"):
        _ = dollars < euros


@pytest.mark.parametrize(
    ("amount", "ratio", "half_up", "down"),
    [
        (1675, Fraction(19, 100), 318, 318),  # 318.25
        (150, Fraction(7, 100), 11, 10),  # 10.5
        (-150, Fraction(7, 100), -11, -10),  # -10.5
        (100, Fraction(2, 3), 67, 66),  # 66.67
        (100, Fraction(1), 100, 100),
    ],
)
def test_a_product_is_rounded_as_the_caller_says(
    amount: int, ratio: Fraction, half_up: int, down: int
) -> None:
    price = Money(amount, "EUR")
    assert price.multiply(ratio, Rounding.HALF_UP) == Money(half_up, "EUR")
    assert price.multiply(ratio, Rounding.DOWN) == Money(down, "EUR")


@given(AMOUNTS, RATIOS)
def test_rounding_moves_a_product_by_less_than_one_unit(amount: int, ratio: Fraction) -> None:
    exact = amount * ratio
    nearest = Money(amount, "EUR").multiply(ratio, Rounding.HALF_UP).amount
    lower = Money(amount, "EUR").multiply(ratio, Rounding.DOWN).amount
    assert abs(nearest - exact) <= Fraction(1, 2)
    assert abs(lower) <= abs(exact) < abs(lower) + 1


@given(st.decimals(-(10**9), 10**9, places=6))
def test_rounding_agrees_with_that_of_decimals(value: Decimal) -> None:
    cents = EXACT.multiply(value, Decimal(100))
    for rounding, name in ((Rounding.HALF_UP, ROUND_HALF_UP), (Rounding.DOWN, ROUND_DOWN)):
        expected = int(cents.to_integral_value(name, EXACT))
        assert Money.of_decimal(value, "USD", rounding) == Money(expected, "USD")


@given(AMOUNTS, WEIGHTS)
def test_the_parts_of_an_allocation_add_up_to_the_whole(amount: int, weights: list[int]) -> None:
    parts = Money(amount, "USD").allocate(weights)
    assert sum(parts, Money.zero("USD")) == Money(amount, "USD")


@given(AMOUNTS, WEIGHTS)
def test_each_part_of_an_allocation_is_less_than_a_unit_from_its_exact_share(
    amount: int, weights: list[int]
) -> None:
    for part, weight in zip(Money(amount, "USD").allocate(weights), weights, strict=True):
        assert abs(part.amount - Fraction(amount * weight, sum(weights))) < 1


@given(st.integers(0, 10**15), st.sets(st.integers(1, 10**6), min_size=1, max_size=12))
def test_a_larger_weight_never_gets_less(amount: int, weights: set[int]) -> None:
    parts = Money(amount, "USD").allocate(sorted(weights))
    assert parts == sorted(parts)


@pytest.mark.parametrize(
    ("amount", "weights", "parts"),
    [
        (100, [1, 2, 4], [14, 29, 57]),
        (100, [1, 1, 1], [34, 33, 33]),
        (-100, [1, 1, 1], [-34, -33, -33]),
        (2, [0, 1, 1, 1], [0, 1, 1, 0]),
        (0, [3, 4], [0, 0]),
        (5, [7], [5]),
    ],
)
def test_what_rounding_leaves_goes_to_the_largest_remainders(
    amount: int, weights: list[int], parts: list[int]
) -> None:
    assert [part.amount for part in Money(amount, "USD").allocate(weights)] == parts


@pytest.mark.parametrize("weights", [[], [0, 0], [2, -1]])
def test_an_allocation_by_no_weight_or_a_negative_one_is_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="cannot allocate by the weights"):
        Money(100, "USD").allocate(weights)


@pytest.mark.parametrize(
    ("currency", "exponent", "shown"), [("USD", 2, "12.50"), ("JPY", 0, "1250"), ("KWD", 3, "1.250")]
)
def test_a_currency_has_its_own_number_of_decimals(currency: str, exponent: int, shown: str) -> None:
    assert get_exponent(currency) == exponent
    assert str(Money(1250, currency).to_decimal()) == shown


@given(AMOUNTS, st.sampled_from(["USD", "JPY", "KWD", "CLF"]))
def test_the_decimal_form_of_money_is_exact(amount: int, currency: str) -> None:
    price = Money(amount, currency)
    assert Money.of_decimal(price.to_decimal(), currency, Rounding.DOWN) == price
