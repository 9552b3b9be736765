"""Introspection: answered by the router itself, beside what is fetched."""

from __future__ import annotations

from tests.router.executor.shop import data, graph


async def test_the_public_schema_describes_itself_without_any_subgraph():
    async with graph("hidden") as hidden:
        result = await hidden.run('{ __type(name: "User") { name fields { name } } }')

    fields = [{"name": name} for name in ("name", "status", "friend", "age")]
    assert result.data == {"__type": {"name": "User", "fields": fields}}
    assert hidden.asked == []


async def test_introspection_and_data_keep_the_order_of_the_operation():
    text = "query($name: String!) { products { id } ...Schema mine: __typename } "
    text += "fragment Schema on Query { __type(name: $name) { kind } }"
    async with graph("shop", catalogue=data(products=[{"id": "1"}])) as shop:
        result = await shop.run(text, {"name": "Product"})

    assert list((result.data or {}).items()) == [
        ("products", [{"id": "1"}]),
        ("__type", {"kind": "OBJECT"}),
        ("mine", "Query"),
    ]
