"""Incremental delivery: piece by piece, the client gets what plain execution would give it."""

from __future__ import annotations

import asyncio
import re
from itertools import count
from typing import Any

from graphql import (
    ExperimentalIncrementalExecutionResults,
    experimental_execute_incrementally,
    parse,
)
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from router.executor import ExecutionRequest, compile_operation, execute, execute_incrementally
from router.planner import Planner
from router.transport.base import RequestContext
from tests.router.executor.shop import CONTEXT, data, failing, graph, problem
from tests.router.executor.store import StoreTransport
from tests.support.planning import build_operation, load_supergraph

ANNA = {"__typename": "Person", "id": "p1", "email": None, "name": "Anna"}
BORIS = {"__typename": "Person", "id": "p2", "email": "boris@example.com", "name": "Boris"}
MOON = {"__typename": "Book", "id": "b1", "title": "Moon", "pages": 30, "author": ANNA}
SEA = {"__typename": "Book", "id": "b2", "title": "Sea", "pages": 12, "author": None}
STARS = {"__typename": "Film", "id": "f1", "title": "Stars", "minutes": 90, "director": BORIS}
STORE = {"media": [MOON, STARS, SEA], "item": STARS, "nodes": [STARS, MOON]}

LEAVES = {
    "Query": ["__typename"],
    "Media": ["id", "title", "__typename"],
    "Node": ["id"],
    "Item": ["__typename"],
    "Book": ["id", "title", "pages"],
    "Film": ["id", "title", "minutes"],
    "Person": ["id", "name", "email", "called: name"],
}
BELOW = {
    "Query": [("media", "Media"), ("item", "Item"), ("nodes", "Node")],
    "Book": [("author", "Person")],
    "Film": [("director", "Person")],
}
NARROWER = {
    "Media": ["Book", "Film", "Node"],
    "Node": ["Book", "Film", "Media"],
    "Item": ["Book", "Film", "Node"],
}


def selections(type_name: str, depth: int = 4) -> st.SearchStrategy[str]:
    """Selections of a type, with deferred fragments anywhere."""
    leaf = st.sampled_from(LEAVES[type_name])
    choices = [leaf]
    if depth:
        same = st.builds(
            "... {}{}".format, st.sampled_from(["@defer ", ""]), selections(type_name, depth - 1)
        )
        choices.append(same)
        for name, below in BELOW.get(type_name, ()):
            choices.append(st.builds("{} {}".format, st.just(name), selections(below, depth - 1)))
        for narrower in NARROWER.get(type_name, ()):
            inner = selections(narrower, depth - 1)
            head = st.sampled_from([f"... on {narrower} @defer ", f"... on {narrower} "])
            choices.append(st.builds("{}{}".format, head, inner))
    each = st.one_of(choices)
    return st.lists(each, min_size=1, max_size=4).map(lambda found: "{ " + " ".join(found) + " }")


def labelled(text: str) -> str:
    numbers = count()
    return re.sub("@defer", lambda _: f'@defer(label: "{next(numbers)}")', text)


async def delivered(text: str, transport: StoreTransport) -> list[dict[str, Any]]:
    """The payloads of an operation on the media graph."""
    compiled = compile_operation(
        Planner(load_supergraph("media")), build_operation("media", text), frozenset()
    )
    request = ExecutionRequest({}, transport, CONTEXT)
    return [payload async for payload in execute_incrementally(compiled, request)]


async def at_once(text: str, transport: StoreTransport) -> Any:
    compiled = compile_operation(Planner(load_supergraph("media")), build_operation("media", text))
    return (await execute(compiled, ExecutionRequest({}, transport, CONTEXT))).data


def put_together(payloads: list[dict[str, Any]]) -> Any:
    """What a client holds in the end, if every payload is as the proposal says."""
    data = payloads[0]["data"]
    open_: dict[str, list[Any]] = {}
    for payload in payloads:
        for pending in payload.get("pending", ()):
            assert pending["id"] not in open_
            open_[pending["id"]] = pending["path"]
        for told in payload.get("incremental", ()):
            target = at(data, [*open_[told["id"]], *told.get("subPath", ())])
            assert target.keys().isdisjoint(told["data"])
            target.update(told["data"])
        assert all(at(data, path) is not None for path in open_.values())
        for completed in payload.get("completed", ()):
            del open_[completed["id"]]
        assert payload.get("hasNext", False) is (payload is not payloads[-1])
    assert open_ == {}
    return data


def at(data: Any, path: list[Any]) -> Any:
    for segment in path:
        data = data[segment]
    assert isinstance(data, dict)
    return data


async def plainly(text: str) -> tuple[Any, set[Any]]:
    """The first answer by GraphQL's own execution, and what it leaves for later."""
    result: Any = experimental_execute_incrementally(
        load_supergraph("media").public_schema, parse(text), STORE, enable_early_execution=False
    )
    if not isinstance(result, ExperimentalIncrementalExecutionResults):
        return result.data, set()
    first: Any = result.initial_result.formatted
    return first["data"], named([first])


def named(payloads: list[Any]) -> set[Any]:
    return {(each["label"], *each["path"]) for payload in payloads for each in payload.get("pending", ())}


@settings(deadline=None, max_examples=60, phases=[Phase.generate])
@given(selections("Query"), st.randoms(use_true_random=False))
def test_pieces_add_up_to_the_whole_answer_and_come_as_plain_execution_leaves_them(text, random):
    text = labelled(text)
    transport = StoreTransport(load_supergraph("media"), STORE, lambda: random.randint(0, 5))

    async def compared() -> None:
        payloads = await delivered(text, transport)
        first, later = await plainly(text)

        assert payloads[0]["data"] == first
        assert named(payloads[:1]) <= later
        assert put_together(payloads) == await at_once(text, transport)

    asyncio.run(compared())


async def test_what_is_deferred_comes_after_what_is_not():
    catalogue, stock = data(product={"id": "1", "name": "Boat"}), data(_entities=[{"inStock": 3}])
    async with graph("shop", catalogue=catalogue, stock=stock) as shop:
        payloads = await shop.payloads('{ product(id: "1") { name ... @defer(label: "s") { inStock } } }')

    assert payloads == [
        {
            "data": {"product": {"name": "Boat"}},
            "pending": [{"id": "0", "path": ["product"], "label": "s"}],
            "hasNext": True,
        },
        {
            "incremental": [{"id": "0", "data": {"inStock": 3}}],
            "completed": [{"id": "0"}],
            "hasNext": False,
        },
    ]


async def test_each_object_of_a_list_has_its_own_fragment_and_one_fetch_serves_all():
    catalogue = data(products=[{"id": "1", "name": "Boat"}, {"id": "2", "name": "Kite"}])
    stock = data(_entities=[{"inStock": 3}, {"inStock": 5}])
    async with graph("shop", catalogue=catalogue, stock=stock) as shop:
        first, last = await shop.payloads("{ products { name ... @defer { inStock } } }")

    assert [each["path"] for each in first["pending"]] == [["products", 0], ["products", 1]]
    assert [each["data"] for each in last["incremental"]] == [{"inStock": 3}, {"inStock": 5}]
    assert len(shop.list_representations("stock")) == 1


async def test_fields_below_what_is_there_already_tell_their_way():
    catalogue = data(product={"id": "1", "maker": {"id": "m", "country": {"code": "DK"}}})
    makers = data(_entities=[{"title": "Moller"}])
    text = '{ product(id: "1") { maker { id } ... @defer { maker { title } } } }'
    async with graph("shop", catalogue=catalogue, makers=makers) as shop:
        first, last = await shop.payloads(text)

    assert first["pending"] == [{"id": "0", "path": ["product"]}]
    assert last["incremental"] == [{"id": "0", "subPath": ["maker"], "data": {"title": "Moller"}}]


async def test_a_null_where_none_may_be_fails_its_fragment_and_no_other():
    catalogue = data(products=[{"id": "1", "name": "Boat"}, {"id": "2", "name": "Kite"}])
    stock = failing("lost", "_entities", 0, "inStock", _entities=[None, {"inStock": 5}])
    async with graph("shop", catalogue=catalogue, stock=stock) as shop:
        _, last = await shop.payloads("{ products { name ... @defer { inStock } } }")

    error = problem("lost", "products", 0, "inStock", column=32, extensions={"code": "BROKEN"})
    assert last["incremental"] == [{"id": "1", "data": {"inStock": 5}}]
    assert last["completed"] == [{"id": "0", "errors": [error]}, {"id": "1"}]


async def test_an_error_that_leaves_a_null_comes_with_its_fields():
    catalogue = data(product={"id": "1", "name": "Boat"})
    stock = {"errors": [{"message": "down"}]}
    async with graph("shop", catalogue=catalogue, stock=stock) as shop:
        _, last = await shop.payloads('{ product(id: "1") { name ... @defer { warehouse { id } } } }')

    assert last["incremental"] == [
        {
            "id": "0",
            "data": {"warehouse": None},
            "errors": [problem("down", "product", "warehouse", column=40)],
        }
    ]


async def test_a_fragment_inside_one_that_failed_is_never_named():
    catalogue, stock = data(product={"id": "1", "name": "Boat"}), {"errors": [{"message": "down"}]}
    text = (
        '{ product(id: "1") { ... @defer(label: "outer") { inStock ... @defer(label: "inner") { name } } } }'
    )
    async with graph("shop", catalogue=catalogue, stock=stock) as shop:
        first, last = await shop.payloads(text)

    assert [each["label"] for each in first["pending"]] == ["outer"]
    assert last == {
        "completed": [{"id": "0", "errors": [problem("down", "product", "inStock", column=51)]}],
        "hasNext": False,
    }


async def test_where_nothing_is_left_for_later_the_answer_is_a_plain_one():
    async with graph("shop", catalogue=data(product=None)) as shop:
        payloads = await shop.payloads('{ product(id: "1") { name ... @defer { inStock } } }')

    assert payloads == [{"data": {"product": None}}]


async def test_a_null_that_takes_an_object_away_takes_its_fragments_along():
    catalogue = data(product={"id": "1", "name": None, "maker": {"id": "m", "country": {"code": "DK"}}})
    text = '{ product(id: "1") { maker { id ... @defer { title } } name } }'
    async with graph("shop", catalogue=catalogue) as shop:
        [payload] = await shop.payloads(text)

    assert payload["data"] == {"product": None}
    assert [error["path"] for error in payload["errors"]] == [["product", "name"]]


async def test_an_answer_without_data_has_nothing_to_come():
    async with graph("shop", catalogue=data(products=None), stock=data()) as shop:
        [payload] = await shop.payloads("{ products { name ... @defer { inStock } } }")

    assert payload["data"] is None
    assert [error["path"] for error in payload["errors"]] == [["products"]]


async def test_a_fragment_whose_condition_fails_is_not_named():
    catalogue = data(product={"id": "1", "name": "Boat"})
    text = """query($no: Boolean = false) { product(id: "1") {
      name
      ... @include(if: $no) @defer(label: "no") { inStock }
      ... @defer(label: "yes") { sku }
    } }"""
    stock = data(_entities=[{"sku": "K"}])
    async with graph("shop", catalogue=catalogue, stock=stock) as shop:
        first, last = await shop.payloads(text)

    assert [each["label"] for each in first["pending"]] == ["yes"]
    assert last["incremental"] == [{"id": "0", "data": {"sku": "K"}}]


async def test_who_stops_reading_ends_what_is_under_way():
    held, ended = asyncio.Event(), asyncio.Event()

    class Holding(StoreTransport):
        async def fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
            if b"media" not in body:
                return await super().fetch(subgraph, body, context)
            held.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()
            raise AssertionError("it waits for ever")

    text = "{ item { __typename } ... @defer { media { id } } }"
    compiled = compile_operation(
        Planner(load_supergraph("media")), build_operation("media", text), frozenset()
    )
    request = ExecutionRequest({}, Holding(load_supergraph("media"), STORE), CONTEXT)

    payloads = execute_incrementally(compiled, request)
    first = await anext(payloads)
    await held.wait()
    await payloads.aclose()

    assert first["data"] == {"item": {"__typename": "Film"}}
    assert ended.is_set()
