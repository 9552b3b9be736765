"""Introspection, answered by the router itself beside fetched data."""

from __future__ import annotations

import pytest
from graphql import get_introspection_query

from router.errors import ValidationFailedError
from tests.router.executor.shop import build_data, run_graph


async def test_the_public_schema_describes_itself_without_any_subgraph():
    async with run_graph("hidden") as hidden:
        result = await hidden.run('{ __type(name: "User") { name fields { name } } }')

    fields = [{"name": name} for name in ("name", "status", "friend", "age")]
    assert result.data == {"__type": {"name": "User", "fields": fields}}
    assert hidden.requests == []


async def test_introspection_and_data_keep_the_order_of_the_operation():
    text = "query($name: String!) { products { id } ...Schema mine: __typename } "
    text += "fragment Schema on Query { __type(name: $name) { kind } }"
    async with run_graph("shop", catalogue=build_data(products=[{"id": "1"}])) as shop:
        result = await shop.run(text, {"name": "Product"})

    assert list((result.data or {}).items()) == [
        ("products", [{"id": "1"}]),
        ("__type", {"kind": "OBJECT"}),
        ("mine", "Query"),
    ]


async def test_the_introspection_query_of_tools_is_answered_unless_repeated_many_times():
    once = "__schema { types { name fields { name args { name type { name } } type { name kind } } } }"
    async with run_graph("hidden") as hidden:
        whole = await hidden.run(get_introspection_query(input_value_deprecation=True))
        assert whole.data is not None
        assert (await hidden.run(f"{{ {once} again: {once} }}")).errors == []
        with pytest.raises(ValidationFailedError, match=r"result has more than \d+ fields"):
            await hidden.run(f"{{ {' '.join(f'a{number}: {once}' for number in range(25))} }}")
