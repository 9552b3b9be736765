"""The operation names of fetches."""

import orjson
import pytest

from router.executor.fetches import MAX_NAME_LENGTH, FetchNames
from router.transport.request_body import strip_operation_name
from tests.router.executor.shop import build_data, run_graph


async def test_a_fetch_is_named_after_the_operation_its_subgraph_and_its_number():
    catalogue, stock = build_data(products=[{"id": "1"}]), build_data(_entities=[{"inStock": 1}])
    async with run_graph("shop", catalogue=catalogue, stock=stock) as shop:
        await shop.run("query Shelf { products { inStock } }")
        await shop.run("{ products { inStock } }")
    named, entities, nameless, _ = [body["query"] for _, body in shop.requests]
    assert named.startswith("query Shelf__catalogue__0{")
    assert entities.startswith("query Shelf__stock__1($representations:[_Any!]!){")
    assert nameless.startswith("query{")


def test_a_fetch_name_is_a_valid_graphql_name_of_bounded_length():
    assert FetchNames("Shelf").assign("my-subgraph.2") == "Shelf__my_subgraph_2__0"
    assert len(FetchNames("x" * 90_000).assign("a")) == MAX_NAME_LENGTH + len("__a__0")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("query A__a__0{s}", "query Another__a__3{s}"),
        ("query A__a__0($i:Int){s(i:$i)}", "query B__a__1($i:Int){s(i:$i)}"),
        ("subscription A__a__0{s}", "subscription B__a__0{s}"),
    ],
)
def test_requests_that_differ_only_in_the_operation_name_are_equal(one: str, other: str):
    first, second = (
        strip_operation_name(orjson.dumps({"query": each, "variables": {"i": 1}})) for each in (one, other)
    )
    assert first == second
    assert strip_operation_name(orjson.dumps({"query": f"{one} "})) != first


def test_documents_without_a_name_and_mutations_are_left_unchanged():
    for text in ("{s}", "query{s}", "query($i:Int){s}", "mutation A__a__0{s}"):
        body = orjson.dumps({"query": text})
        assert strip_operation_name(body) == body
