"""Operations and their variables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from router.operation import coerce_variables, exceeds
from tests.support.planning import load_operation

PRICE = 'query Price($id: ID!, $currency: String = "EUR") { product(id: $id) { price(currency: $currency) } }'


def test_an_operation_knows_its_kind_and_name():
    assert (load_operation("shop", PRICE).kind, load_operation("shop", PRICE).name) == (
        "query",
        "Price",
    )
    assert load_operation("profiles", "mutation { addA }").name is None


def test_an_operation_without_selections_still_coerces_its_variables():
    bare = load_operation("shop", PRICE).without_selections

    assert (bare.kind, bare.name, bare.fragments) == ("query", "Price", {})
    assert coerce_variables(bare, {"id": "1"}) == {"id": "1", "currency": "EUR"}


def test_defaults_are_filled_in():
    assert coerce_variables(load_operation("shop", PRICE), {"id": "1"}) == {
        "id": "1",
        "currency": "EUR",
    }


def test_an_explicit_null_is_not_a_default():
    assert coerce_variables(load_operation("shop", PRICE), {"id": "1", "currency": None}) == {
        "id": "1",
        "currency": None,
    }


def test_undeclared_variables_are_dropped():
    assert coerce_variables(load_operation("shop", PRICE), {"id": "1", "other": 1, "currency": "USD"}) == {
        "id": "1",
        "currency": "USD",
    }


def test_an_optional_variable_without_a_value_stays_absent():
    text = "query($filter: Filter) { find(filter: $filter) { name } }"

    assert coerce_variables(load_operation("hidden", text), {}) == {}


def test_a_missing_variable_is_named():
    errors = coerce_variables(load_operation("shop", PRICE), {})

    assert isinstance(errors, list)
    assert [error.message for error in errors] == [
        "Variable '$id' has invalid value: Expected a value of non-null type 'ID!' to be provided."
    ]


def test_suggestions_are_hidden_where_the_schema_is():
    text = "query($filter: Filter) { find(filter: $filter) { name } }"
    suggesting, hiding = (
        coerce_variables(
            replace(load_operation("hidden", text), hide_suggestions=hides), {"filter": {"nam": "a"}}
        )
        for hides in (False, True)
    )

    assert isinstance(suggesting, list)
    assert isinstance(hiding, list)
    assert "Did you mean" in suggesting[0].message
    assert "Did you mean" not in hiding[0].message


def test_an_inaccessible_input_field_is_unknown():
    text = "query($filter: Filter) { find(filter: $filter) { name } }"
    errors = coerce_variables(load_operation("hidden", text), {"filter": {"internal": 1}})

    assert isinstance(errors, list)
    assert "internal" in errors[0].message


@pytest.mark.parametrize(
    ("value", "values"),
    [
        ({"a": 1}, 2),
        ({"a": [1, 2], "b": {"c": None}}, 6),
        ([[[]]], 3),
        ([[0] * 1000] * 1000, 1_001_001),
    ],
)
def test_the_values_within_a_value_are_counted(value: Any, values: int):
    assert (exceeds(value, values), exceeds(value, values - 1)) == (False, True)
