"""Incremental delivery: the payloads merge into the answer of plain execution."""

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
from tests.router.executor.shop import CONTEXT, build_data, build_data_with_error, build_error, run_graph
from tests.router.executor.store import StoreTransport
from tests.support.planning import load_operation, load_supergraph

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
    """Generates selections of a type, with deferred fragments anywhere."""
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


def add_labels(text: str) -> str:
    numbers = count()
    return re.sub("@defer", lambda _: f'@defer(label: "{next(numbers)}")', text)


async def deliver(text: str, transport: StoreTransport) -> list[dict[str, Any]]:
    """Runs an operation on the media graph incrementally; returns its payloads."""
    compiled = compile_operation(
        Planner(load_supergraph("media")), load_operation("media", text), frozenset()
    )
    request = ExecutionRequest({}, transport, CONTEXT)
    return [payload async for payload in execute_incrementally(compiled, request)]


async def execute_at_once(text: str, transport: StoreTransport) -> Any:
    compiled = compile_operation(Planner(load_supergraph("media")), load_operation("media", text))
    return (await execute(compiled, ExecutionRequest({}, transport, CONTEXT))).data


def merge_payloads(payloads: list[dict[str, Any]]) -> Any:
    """Merges payloads as a client does, and checks that each follows the incremental delivery proposal."""
    data = payloads[0]["data"]
    open_: dict[str, list[Any]] = {}
    for payload in payloads:
        for pending in payload.get("pending", ()):
            assert pending["id"] not in open_
            open_[pending["id"]] = pending["path"]
        for piece in payload.get("incremental", ()):
            target = get_object_at(data, [*open_[piece["id"]], *piece.get("subPath", ())])
            assert target.keys().isdisjoint(piece["data"])
            target.update(piece["data"])
        assert all(get_object_at(data, path) is not None for path in open_.values())
        for completed in payload.get("completed", ()):
            del open_[completed["id"]]
        assert payload.get("hasNext", False) is (payload is not payloads[-1])
    assert open_ == {}
    return data


def get_object_at(data: Any, path: list[Any]) -> Any:
    for segment in path:
        data = data[segment]
    assert isinstance(data, dict)
    return data


async def execute_plainly(text: str) -> tuple[Any, set[Any]]:
    """Runs graphql-core; returns its initial data and the labels and paths of its pending fragments."""
    result: Any = experimental_execute_incrementally(
        load_supergraph("media").public_schema, parse(text), STORE, enable_early_execution=False
    )
    if not isinstance(result, ExperimentalIncrementalExecutionResults):
        return result.data, set()
    first: Any = result.initial_result.formatted
    return first["data"], list_pending([first])


def list_pending(payloads: list[Any]) -> set[Any]:
    return {(each["label"], *each["path"]) for payload in payloads for each in payload.get("pending", ())}


@settings(deadline=None, max_examples=60, phases=[Phase.generate])
@given(selections("Query"), st.randoms(use_true_random=False))
def test_merged_payloads_equal_plain_execution_and_defer_no_more_than_it(text, random):
    text = add_labels(text)
    transport = StoreTransport(load_supergraph("media"), STORE, lambda: random.randint(0, 5))

    async def compare() -> None:
        payloads = await deliver(text, transport)
        first, later = await execute_plainly(text)

        assert payloads[0]["data"] == first
        assert list_pending(payloads[:1]) <= later
        assert merge_payloads(payloads) == await execute_at_once(text, transport)

    asyncio.run(compare())


async def test_deferred_fields_come_after_the_others():
    catalogue, stock = build_data(product={"id": "1", "name": "Boat"}), build_data(_entities=[{"inStock": 3}])
    async with run_graph("shop", catalogue=catalogue, stock=stock) as shop:
        payloads = await shop.collect_payloads(
            '{ product(id: "1") { name ... @defer(label: "s") { inStock } } }'
        )

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
    catalogue = build_data(products=[{"id": "1", "name": "Boat"}, {"id": "2", "name": "Kite"}])
    stock = build_data(_entities=[{"inStock": 3}, {"inStock": 5}])
    async with run_graph("shop", catalogue=catalogue, stock=stock) as shop:
        first, last = await shop.collect_payloads("{ products { name ... @defer { inStock } } }")

    assert [each["path"] for each in first["pending"]] == [["products", 0], ["products", 1]]
    assert [each["data"] for each in last["incremental"]] == [{"inStock": 3}, {"inStock": 5}]
    assert len(shop.list_representations("stock")) == 1


async def test_fields_below_a_delivered_object_have_a_sub_path():
    catalogue = build_data(product={"id": "1", "maker": {"id": "m", "country": {"code": "DK"}}})
    makers = build_data(_entities=[{"title": "Moller"}])
    text = '{ product(id: "1") { maker { id } ... @defer { maker { title } } } }'
    async with run_graph("shop", catalogue=catalogue, makers=makers) as shop:
        first, last = await shop.collect_payloads(text)

    assert first["pending"] == [{"id": "0", "path": ["product"]}]
    assert last["incremental"] == [{"id": "0", "subPath": ["maker"], "data": {"title": "Moller"}}]


async def test_a_null_in_a_non_null_field_fails_only_its_own_fragment():
    catalogue = build_data(products=[{"id": "1", "name": "Boat"}, {"id": "2", "name": "Kite"}])
    stock = build_data_with_error("lost", "_entities", 0, "inStock", _entities=[None, {"inStock": 5}])
    async with run_graph("shop", catalogue=catalogue, stock=stock) as shop:
        _, last = await shop.collect_payloads("{ products { name ... @defer { inStock } } }")

    error = build_error("lost", "products", 0, "inStock", column=32, extensions={"code": "BROKEN"})
    assert last["incremental"] == [{"id": "1", "data": {"inStock": 5}}]
    assert last["completed"] == [{"id": "0", "errors": [error]}, {"id": "1"}]


async def test_an_error_of_a_nullable_field_comes_with_its_fragment():
    catalogue = build_data(product={"id": "1", "name": "Boat"})
    stock = {"errors": [{"message": "down"}]}
    async with run_graph("shop", catalogue=catalogue, stock=stock) as shop:
        _, last = await shop.collect_payloads('{ product(id: "1") { name ... @defer { warehouse { id } } } }')

    assert last["incremental"] == [
        {
            "id": "0",
            "data": {"warehouse": None},
            "errors": [build_error("down", "product", "warehouse", column=40)],
        }
    ]


async def test_a_fragment_inside_a_failed_one_is_never_announced():
    catalogue, stock = build_data(product={"id": "1", "name": "Boat"}), {"errors": [{"message": "down"}]}
    text = (
        '{ product(id: "1") { ... @defer(label: "outer") { inStock ... @defer(label: "inner") { name } } } }'
    )
    async with run_graph("shop", catalogue=catalogue, stock=stock) as shop:
        first, last = await shop.collect_payloads(text)

    assert [each["label"] for each in first["pending"]] == ["outer"]
    assert last == {
        "completed": [{"id": "0", "errors": [build_error("down", "product", "inStock", column=51)]}],
        "hasNext": False,
    }


async def test_without_deferred_fields_the_answer_is_a_single_payload():
    async with run_graph("shop", catalogue=build_data(product=None)) as shop:
        payloads = await shop.collect_payloads('{ product(id: "1") { name ... @defer { inStock } } }')

    assert payloads == [{"data": {"product": None}}]


async def test_a_null_that_removes_an_object_removes_its_fragments():
    catalogue = build_data(product={"id": "1", "name": None, "maker": {"id": "m", "country": {"code": "DK"}}})
    text = '{ product(id: "1") { maker { id ... @defer { title } } name } }'
    async with run_graph("shop", catalogue=catalogue) as shop:
        [payload] = await shop.collect_payloads(text)

    assert payload["data"] == {"product": None}
    assert [error["path"] for error in payload["errors"]] == [["product", "name"]]


async def test_an_answer_without_data_has_no_pending_fragments():
    async with run_graph("shop", catalogue=build_data(products=None), stock=build_data()) as shop:
        [payload] = await shop.collect_payloads("{ products { name ... @defer { inStock } } }")

    assert payload["data"] is None
    assert [error["path"] for error in payload["errors"]] == [["products"]]


async def test_a_fragment_whose_condition_fails_is_not_announced():
    catalogue = build_data(product={"id": "1", "name": "Boat"})
    text = """query($no: Boolean = false) { product(id: "1") {
      name
      ... @include(if: $no) @defer(label: "no") { inStock }
      ... @defer(label: "yes") { sku }
    } }"""
    stock = build_data(_entities=[{"sku": "K"}])
    async with run_graph("shop", catalogue=catalogue, stock=stock) as shop:
        first, last = await shop.collect_payloads(text)

    assert [each["label"] for each in first["pending"]] == ["yes"]
    assert last["incremental"] == [{"id": "0", "data": {"sku": "K"}}]


async def test_closing_the_payloads_cancels_running_fetches():
    started, ended = asyncio.Event(), asyncio.Event()

    class HangingTransport(StoreTransport):
        async def fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
            if b"media" not in body:
                return await super().fetch(subgraph, body, context)
            started.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()
            raise AssertionError("it waits for ever")

    text = "{ item { __typename } ... @defer { media { id } } }"
    compiled = compile_operation(
        Planner(load_supergraph("media")), load_operation("media", text), frozenset()
    )
    request = ExecutionRequest({}, HangingTransport(load_supergraph("media"), STORE), CONTEXT)

    payloads = execute_incrementally(compiled, request)
    first = await anext(payloads)
    await started.wait()
    await payloads.aclose()

    assert first["data"] == {"item": {"__typename": "Film"}}
    assert ended.is_set()
