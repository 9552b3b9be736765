"""Entities: sent once as representations, and merged in all of their places."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.executor import ExecutionRequest, compile_operation, execute_events
from router.executor.entities import Batch, Representations, compile_representer, copy_json, split_batches
from router.executor.fetches import MAX_REPRESENTATIONS
from router.json_text import encode
from router.planner import Planner
from router.planner.plan import Input, InputField, Representation
from router.transport.base import RequestContext
from tests.router.executor.shop import CONTEXT, build_data, run_graph
from tests.support.planning import load_operation, load_supergraph

ANY_KEY = Representation("Odd", frozenset({"Odd"}), Input((InputField("k", "k"),)))


async def test_answers_are_merged_into_the_objects_that_were_sent():
    catalogue = build_data(products=[{"id": "1", "name": "Boat"}, {"id": "2", "name": "Kite"}])
    stock = build_data(_entities=[{"inStock": 3}, {"inStock": 5}])
    async with run_graph("shop", catalogue=catalogue, stock=stock) as shop:
        result = await shop.run("{ products { name inStock } }")

    assert result.data == {"products": [{"name": "Boat", "inStock": 3}, {"name": "Kite", "inStock": 5}]}
    assert result.errors == []


async def test_an_entity_in_several_places_is_fetched_once():
    catalogue = build_data(products=[{"id": "1", "name": "Boat"}, {"id": "1", "name": "Boat"}])
    async with run_graph("shop", catalogue=catalogue, stock=build_data(_entities=[{"inStock": 3}])) as shop:
        result = await shop.run("{ products { inStock } }")

    assert shop.list_representations("stock") == [{"representations": [{"__typename": "Product", "id": "1"}]}]
    assert result.data == {"products": [{"inStock": 3}, {"inStock": 3}]}


async def test_very_many_entities_are_fetched_in_several_requests():
    count = 2 * MAX_REPRESENTATIONS + 1

    def stock(body: Any) -> dict[str, Any]:
        numbers = [int(each["id"]) for each in body["variables"]["representations"]]
        broken = numbers.index(700) if 700 in numbers else None
        entities = [None if index == broken else {"inStock": number} for index, number in enumerate(numbers)]
        return build_data(_entities=entities) | (
            {} if broken is None else {"errors": [{"message": "no count", "path": ["_entities", broken]}]}
        )

    catalogue = build_data(list=[{"id": str(number)} for number in range(count)])
    async with run_graph("shop", catalogue=catalogue, stock=stock) as shop:
        result = await shop.run("{ list: products { inStock } }")

    sizes = sorted(len(each["representations"]) for each in shop.list_representations("stock"))
    assert sizes == [1, MAX_REPRESENTATIONS, MAX_REPRESENTATIONS]
    assert result.data is None
    assert [error["path"] for error in result.errors] == [["list", 700, "inStock"]]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.sampled_from(["1", "0", "None"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=3,
)
TYPENAMES: st.SearchStrategy[Any] = st.sampled_from([None, "Odd", "Even", "Other", 7, True, ["Odd"], {}])
ENTITIES = st.fixed_dictionaries({}, optional={"__typename": TYPENAMES, "k": JSON_VALUES, "l": JSON_VALUES})


def test_keys_that_are_equal_in_python_but_not_in_json_are_distinct():
    keys = [1, True, 1.0, "1", 0, False, None, [1], [True]]
    texts, waiting, unrepresented = compile_representer([ANY_KEY])({})([{"k": key} for key in keys])
    assert texts == [encode({"__typename": "Odd", "k": key}) for key in keys]
    assert (waiting, unrepresented) == ([[index] for index in range(len(keys))], [])


@given(st.lists(ENTITIES, max_size=6), st.booleans(), st.sampled_from([(), ("Even",), ("Odd", "Even")]))
def test_representations_are_those_of_each_object_alone(
    objects: list[dict[str, Any]], has_two_fields: bool, own_typenames: tuple[str, ...]
):
    fields = (InputField("key", "k"), InputField("second", "l"))[: 1 + has_two_fields]
    representation = Representation(
        "Odd", frozenset({"Odd", "Even"}), Input(fields), own_typenames=frozenset(own_typenames)
    )
    expected: dict[bytes, list[int]] = {}
    unrepresented = []
    for index, each in enumerate(objects):
        typename = each.get("__typename")
        if typename not in (None, "Odd", "Even") or not all(field.key in each for field in fields):
            unrepresented.append(index)
            continue
        name = typename if typename in own_typenames else "Odd"
        text = encode({"__typename": name} | {field.name: each[field.key] for field in fields})
        expected.setdefault(text, []).append(index)

    found = compile_representer([representation])({})(objects)
    assert found == ([*expected], [*expected.values()], unrepresented)


@pytest.mark.parametrize("typename", [["Odd"], {}, 7, True])
async def test_an_object_with_an_invalid_typename_is_not_sent(typename: Any):
    nested = replace(ANY_KEY, input=Input((InputField("k", "k", Input((InputField("id", "id"),))),)))
    for representation in (ANY_KEY, nested):
        sent = compile_representer([representation])({})([{"__typename": typename, "k": {"id": "1"}}])
        assert sent == ([], [], [0])


@pytest.mark.parametrize("key", ["big", 7, True])
async def test_an_object_with_an_invalid_key_is_not_sent(key: Any):
    nested = replace(ANY_KEY, input=Input((InputField("k", "k", Input((InputField("id", "id"),))),)))
    assert compile_representer([nested])({})([{"k": key}, {"k": [key]}]) == ([], [], [0, 1])


def test_a_batch_of_chosen_objects_has_their_positions_among_all():
    objects: list[dict[str, Any]] = [{"k": 1}, {"k": 2}, {"k": 1}, {}, {"k": 1}]
    batch = Batch(objects, compile_representer([ANY_KEY])({}), [2, 3, 4])
    assert (batch.waiting, batch.unrepresented) == ([[2, 4]], [3])


def test_a_request_is_split_across_all_its_batches():
    def batch(*texts: bytes) -> Batch:
        waiting = [[index] for index in range(len(texts))]
        return Batch([{} for _ in texts], lambda _: Representations([*texts], waiting, []))

    cut = split_batches([batch(b"1", b"2", b"3"), batch(b"4", b"5", b"6", b"7")], 5)
    assert [[each.representations for each in portion] for portion in cut] == [
        [[b"1", b"2", b"3"], [b"4", b"5"]],
        [[], [b"6", b"7"]],
    ]


async def test_without_entities_nothing_is_fetched():
    async with run_graph("shop", catalogue=build_data(products=[])) as shop:
        result = await shop.run("{ products { inStock } }")

    assert result.data == {"products": []}
    assert [name for name, _ in shop.requests] == ["catalogue"]


async def test_a_key_is_carried_from_one_subgraph_to_the_next():
    catalogue = build_data(product={"id": "1", "name": "Boat"})
    stock = build_data(_entities=[{"sku": "B-1"}])
    prices = build_data(_entities=[{"price": 900}])
    async with run_graph("shop", catalogue=catalogue, stock=stock, prices=prices) as shop:
        result = await shop.run('{ product(id: "1") { name price } }')

    assert result.data == {"product": {"name": "Boat", "price": 900}}
    assert shop.list_representations("prices") == [
        {"representations": [{"__typename": "Product", "sku": "B-1"}]}
    ]


async def test_a_nested_key_is_sent_completely():
    catalogue = build_data(products=[{"maker": {"id": "7", "country": {"code": "DK"}}}, {"maker": None}])
    async with run_graph(
        "shop", catalogue=catalogue, makers=build_data(_entities=[{"title": "Havn"}])
    ) as shop:
        result = await shop.run("{ products { maker { title } } }")

    sent = {"__typename": "Maker", "id": "7", "country": {"code": "DK"}}
    assert shop.list_representations("makers") == [{"representations": [sent]}]
    assert result.data == {"products": [{"maker": {"title": "Havn"}}, {"maker": None}]}


async def test_a_required_field_is_sent_under_its_own_name_despite_aliases():
    catalogue = build_data(
        parcel={"box": "p1", "id": "p1", "weight": 2.5, "_box_1": {"width": 10, "height": 20}}
    )
    async with run_graph(
        "shipping", catalogue=catalogue, rates=build_data(_entities=[{"rate": 700}])
    ) as shipping:
        result = await shipping.run("{ parcel { box: id rate } }")

    sent = {"__typename": "Parcel", "id": "p1", "weight": 2.5, "box": {"width": 10, "height": 20}}
    assert shipping.list_representations("rates") == [{"representations": [sent]}]
    assert result.data == {"parcel": {"box": "p1", "rate": 700}}


async def test_required_fields_of_an_abstract_type_are_sent_by_type():
    catalogue = build_data(parcel={"id": "p1", "item": {"__typename": "Toy", "parts": 4}})
    async with run_graph(
        "shipping", catalogue=catalogue, rates=build_data(_entities=[{"label": "T4"}])
    ) as shipping:
        result = await shipping.run("{ parcel { label } }")

    sent = {"__typename": "Parcel", "id": "p1", "item": {"__typename": "Toy", "parts": 4}}
    assert shipping.list_representations("rates") == [{"representations": [sent]}]
    assert result.data == {"parcel": {"label": "T4"}}


async def test_only_objects_of_the_type_are_sent():
    library = build_data(media=[{"__typename": "Book", "title": "Sea"}, {"__typename": "Film", "id": "f1"}])
    async with run_graph("media", library=library, films=build_data(_entities=[{"title": "Storm"}])) as media:
        result = await media.run("{ media { title } }")

    assert media.list_representations("films") == [{"representations": [{"__typename": "Film", "id": "f1"}]}]
    assert result.data == {"media": [{"title": "Sea"}, {"title": "Storm"}]}


async def test_an_object_of_another_type_is_not_sent_although_it_has_the_fields():
    media = [{"__typename": "Book", "id": "b1"}, {"__typename": "Film", "id": "f1"}]
    films = build_data(_entities=[{"director": {"name": "Ude"}}])
    async with run_graph("media", library=build_data(media=media), films=films) as running:
        result = await running.run("{ media { id ... on Film { director { name } } } }")

    assert running.list_representations("films") == [
        {"representations": [{"__typename": "Film", "id": "f1"}]}
    ]
    assert result.data == {"media": [{"id": "b1"}, {"id": "f1", "director": {"name": "Ude"}}]}


async def test_an_interface_object_is_sent_as_its_interface_and_gets_its_type():
    credit = build_data(richest={"id": "a1", "credit": 9})
    accounts = build_data(_entities=[{"__typename": "Parent", "children": 2}])
    async with run_graph("accounts", credit=credit, accounts=accounts) as running:
        result = await running.run("{ richest { __typename credit ... on Parent { children } } }")

    assert running.list_representations("accounts") == [
        {"representations": [{"__typename": "Account", "id": "a1"}]}
    ]
    assert result.data == {"richest": {"__typename": "Parent", "credit": 9, "children": 2}}


async def test_fetches_of_one_step_to_one_subgraph_are_sent_in_one_request():
    both = '{ a: product(id: "1") { inStock } b: products { inStock } }'
    catalogue = build_data(a={"id": "1"}, b=[{"id": "2"}])
    stock = build_data(_entities=[{"inStock": 3}], _entities1=[{"inStock": 5}])
    async with run_graph("shop", catalogue=catalogue, stock=stock) as shop:
        result = await shop.run(both)

    assert shop.list_representations("stock") == [
        {
            "representations": [{"__typename": "Product", "id": "1"}],
            "representations1": [{"__typename": "Product", "id": "2"}],
        }
    ]
    assert result.data == {"a": {"inStock": 3}, "b": [{"inStock": 5}]}


async def test_a_fetch_whose_condition_does_not_hold_is_skipped():
    catalogue = build_data(products=[{"id": "1", "name": "Boat"}])
    text = "query($with: Boolean!) { products { name inStock @include(if: $with) } }"
    async with run_graph("shop", catalogue=catalogue, stock=build_data(_entities=[{"inStock": 3}])) as shop:
        without = await shop.run(text, {"with": False})
        including = await shop.run(text, {"with": True})

    assert without.data == {"products": [{"name": "Boat"}]}
    assert including.data == {"products": [{"name": "Boat", "inStock": 3}]}
    assert [name for name, _ in shop.requests] == ["catalogue", "catalogue", "stock"]


async def test_the_same_object_from_two_subgraphs_is_merged_field_by_field():
    a = build_data(profile={"first": {"street": "Kaj 1"}})
    b = build_data(profile={"first": {"city": "Ribe"}})
    async with run_graph("profiles", a=a, b=b) as profiles:
        result = await profiles.run("{ profile { first { street city } } }")

    assert result.data == {"profile": {"first": {"street": "Kaj 1", "city": "Ribe"}}}


@pytest.mark.parametrize("with_copies", [False, True])
def test_values_of_a_graphs_own_scalar_are_merged_however_deep_they_are(with_copies: bool):
    deep: Any = None
    for _ in range(500):
        deep = {"and": [deep]}
    entity = {"value": deep}
    objects: list[dict[str, Any]] = [{"id": "1"}, {"id": "2", "value": copy_json(deep)}]
    batch = Batch(objects, lambda _: Representations([b"{}"], [[0, 1]], []))
    assert batch.scatter([entity], with_copies=with_copies) == []
    assert [encode(each["value"]) for each in objects] == [encode(deep)] * 2
    assert (objects[0]["value"] is deep) is not with_copies


async def test_an_event_is_completed_by_other_subgraphs():
    async with run_graph("profiles", b=build_data(_entities=[{"likes": 2}])) as profiles:
        event = build_data(noted={"text": "Hi", "id": "n1"})
        [result] = await profiles.run_events("subscription { noted { text likes } }", event)

    assert result.data == {"noted": {"text": "Hi", "likes": 2}}
    assert result.errors == []


async def test_several_events_are_completed_with_one_fetch():
    def answer(body: Any) -> Mapping[str, Any]:
        known = [int(each["id"]) for each in body["variables"]["representations"]]
        return build_data(_entities=[{"likes": 10 * each} for each in known])

    async with run_graph("profiles", b=answer) as profiles:
        events = [build_data(noted={"id": id_}) for id_ in ("1", "2", "1")]
        results = await profiles.run_events("subscription { noted { likes } }", *events)

    assert [result.data for result in results] == [{"noted": {"likes": each}} for each in (10, 20, 10)]
    assert [result.errors for result in results] == [[], [], []]
    [sent] = profiles.list_representations("b")
    assert sent["representations"] == [{"__typename": "Note", "id": each} for each in ("1", "2")]


async def test_the_subgraphs_that_complete_an_event_are_asked_at_the_same_time():
    all_asked = asyncio.Barrier(2)

    class MeetingTransport:
        async def fetch(self, subgraph: str, _body: bytes, _context: RequestContext) -> dict[str, Any]:
            await all_asked.wait()
            return build_data(_entities=[{"margin": 3} if subgraph == "ledger" else {"goods": []}])

    compiled = compile_operation(
        Planner(load_supergraph("market")),
        load_operation("market", "subscription { opened { margin goods { id } } }"),
    )
    event = build_data(opened={"id": "s1", "currency": "EUR"})
    async with asyncio.timeout(60):
        [result] = await execute_events(compiled, [event], ExecutionRequest({}, MeetingTransport(), CONTEXT))

    assert (result.data, result.errors) == ({"opened": {"margin": 3, "goods": []}}, [])


async def test_mutations_run_one_after_the_other():
    async with run_graph("profiles", a=build_data(addA=1, again=2), b=build_data(addB=1)) as profiles:
        result = await profiles.run("mutation { addA addB again: addA }")

    assert [name for name, _ in profiles.requests] == ["a", "b", "a"]
    assert list(result.data or ()) == ["addA", "addB", "again"]


async def test_fields_below_a_field_that_returns_the_root_are_fetched_from_the_root():
    async with run_graph(
        "profiles", a=build_data(query={"__typename": "Query"}), b=build_data(onlyB=2)
    ) as profiles:
        result = await profiles.run("{ query { onlyB } }")

    assert result.data == {"query": {"onlyB": 2}}


async def test_a_client_variable_may_have_the_name_of_a_representations_variable():
    catalogue, prices = build_data(product={"id": "1"}), build_data(_entities=[{"price": 7}])
    stock = build_data(_entities=[{"sku": "K"}])
    text = 'query($representations: String) { product(id: "1") { price(currency: $representations) } }'
    async with run_graph("shop", catalogue=catalogue, stock=stock, prices=prices) as shop:
        result = await shop.run(text, {"representations": "DKK"})

    assert result.data == {"product": {"price": 7}}
    [variables] = shop.list_representations("prices")
    assert variables == {
        "representations": "DKK",
        "_representations": [{"__typename": "Product", "sku": "K"}],
    }
