"""Projection: the answer has exactly the selected fields, in the order of the operation."""

from __future__ import annotations

import time
from typing import Any

import pytest

from router.executor import ExecutionRequest, compile_operation, execute
from router.executor.response_builder import MAX_FIELDS_PER_ITERATION, ResponseBuilder, TooManyFieldsError
from router.planner import Planner
from router.transport.base import RequestContext
from tests.router.executor.shop import CONTEXT, build_data, run_graph
from tests.support.planning import load_operation, load_supergraph


async def test_fields_have_the_order_of_the_operation():
    catalogue = build_data(products=[{"id": "1", "name": "Boat"}])
    async with run_graph("shop", catalogue=catalogue, stock=build_data(_entities=[{"inStock": 3}])) as shop:
        result = await shop.run("{ products { inStock kind: __typename name } }")

    assert result.data is not None
    [product] = result.data["products"]
    assert list(product.items()) == [("inStock", 3), ("kind", "Product"), ("name", "Boat")]


async def test_names_that_the_planner_changed_are_restored():
    things = [{"__typename": "Cat", "id": "c"}, {"__typename": "Dog", "_id_1": "d"}]
    async with run_graph("mixed", a=build_data(things=things)) as mixed:
        result = await mixed.run("{ things { ... on Cat { id } ... on Dog { id } } }")

    assert result.data == {"things": [{"id": "c"}, {"id": "d"}]}


def test_compiling_the_fields_of_a_type_that_first_occurs_counts_as_work_of_the_response():
    text = "{ things { ... on Cat { id } ... on Dog { id } } }"
    compiled = compile_operation(Planner(load_supergraph("mixed")), load_operation("mixed", text))
    data = {"things": [{"__typename": "Cat", "id": "c"}]}
    with pytest.raises(TooManyFieldsError):
        compiled.project(data, ResponseBuilder({}, fields_left=100))
    assert compiled.project(data, ResponseBuilder({})) == {"things": [{"id": "c"}]}
    assert compiled.project(data, ResponseBuilder({}, fields_left=100)) == {"things": [{"id": "c"}]}


async def test_an_inaccessible_enum_value_is_null():
    async with run_graph("hidden", a=build_data(user={"name": "Bo", "status": "HIDDEN"})) as hidden:
        result = await hidden.run("{ user { name status } }")

    assert result.data == {"user": {"name": "Bo", "status": None}}


async def test_an_object_of_an_inaccessible_type_is_null():
    async with run_graph("hidden", a=build_data(user={"friend": {"__typename": "Secret"}})) as hidden:
        result = await hidden.run("{ user { friend { __typename } } }")

    assert result.data == {"user": {"friend": None}}


async def test_an_inaccessible_key_serves_the_router_and_is_not_shown():
    async with run_graph(
        "hidden", a=build_data(user={"id": "u"}), b=build_data(_entities=[{"age": 4}])
    ) as hidden:
        result = await hidden.run("{ user { age } }")

    assert result.data == {"user": {"age": 4}}


async def test_a_field_under_several_conditions_is_shown_if_any_holds():
    text = "query($a: Boolean!, $b: Boolean!) { products { id name @include(if: $a) name @include(if: $b) } }"
    async with run_graph("shop", catalogue=build_data(products=[{"id": "1", "name": "Boat"}])) as shop:
        one = await shop.run(text, {"a": False, "b": True})
        none = await shop.run(text, {"a": False, "b": False})

    assert one.data == {"products": [{"id": "1", "name": "Boat"}]}
    assert none.data == {"products": [{"id": "1"}]}


async def test_the_typename_of_the_root_needs_no_subgraph():
    async with run_graph("shop") as shop:
        result = await shop.run("{ kind: __typename }")

    assert result.data == {"kind": "Query"}
    assert shop.requests == []


@pytest.mark.parametrize(
    ("sent", "shown"), [(3, 3), (True, None), ("3", None), (3.5, None), ([3], None), (None, None)]
)
async def test_only_an_integer_is_accepted_as_int(sent: Any, shown: int | None):
    async with run_graph(
        "hidden", a=build_data(user={"id": "u"}), b=build_data(_entities=[{"age": sent}])
    ) as hidden:
        result = await hidden.run("{ user { age } }")

    assert result.data == {"user": None if shown is None else {"age": shown}}
    assert bool(result.errors) is (shown is None)


class Catalogue:
    """A transport that answers every fetch with the same data."""

    def __init__(self, **data: Any) -> None:
        self.data = data

    async def fetch(self, _subgraph: str, _body: bytes, _context: RequestContext) -> dict[str, Any]:
        return {"data": self.data}


def build_products(count: int) -> list[dict[str, Any]]:
    return [{"id": str(each), "name": "Boat"} for each in range(count)]


@pytest.mark.parametrize("aliases", [1, 30])
async def test_a_large_answer_is_projected_off_the_event_loop_however_few_its_bytes(aliases: int):
    many = build_products(60_000 // aliases)
    transport = Catalogue(**{f"a{each}": many for each in range(aliases)})
    text = "{ " + " ".join(f"a{each}: products {{ id name }}" for each in range(aliases)) + " }"
    compiled = compile_operation(Planner(load_supergraph("shop")), load_operation("shop", text))
    started = time.thread_time()
    projected = compiled.project(transport.data, ResponseBuilder({}))
    inline = time.thread_time() - started

    started = time.thread_time()
    result = await execute(compiled, ExecutionRequest({}, transport, CONTEXT))
    assert time.thread_time() - started < inline / 4
    assert result.data == projected == transport.data


async def test_an_error_of_a_large_answer_is_reported_once():
    transport = Catalogue(products=[*build_products(MAX_FIELDS_PER_ITERATION), {"id": "7", "name": 7}])
    compiled = compile_operation(
        Planner(load_supergraph("shop")), load_operation("shop", "{ products { id name } }")
    )

    result = await execute(compiled, ExecutionRequest({}, transport, CONTEXT))

    [error] = result.errors
    assert error["path"] == ["products", MAX_FIELDS_PER_ITERATION, "name"]
