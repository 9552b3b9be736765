"""Documents for subgraphs are valid GraphQL whatever the plan selects."""

from __future__ import annotations

from itertools import product

import pytest

from tests.router.executor.market import run_market


@pytest.mark.parametrize(("inner", "outer"), [*product([False, True], repeat=2)])
async def test_a_field_may_be_under_several_conditions_of_one_kind(inner: bool, outer: bool):
    text = """
        query($inner: Boolean!, $outer: Boolean!) {
          shops {
            currency
            ... @include(if: $outer) { name @include(if: $inner) owners @include(if: $inner) { name } }
          }
        }
    """
    shops = [{"id": "s1", "name": "Corner", "currency": "EUR", "owners": []}]
    async with run_market({"shop": {"shops": shops}}) as running:
        result = await running.run(text, {"inner": inner, "outer": outer})

    assert result.errors == []
    both = {"name": "Corner", "owners": []} if inner and outer else {}
    assert result.data == {"shops": [{"currency": "EUR", **both}]}
