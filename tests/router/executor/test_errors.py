"""Errors are reported at the fields they concern, and nulls propagate no further than they must."""

from __future__ import annotations

from typing import Any

from tests.router.executor.shop import build_data, build_data_with_error, build_error, run_graph


async def test_an_error_of_an_entity_is_reported_at_every_field_that_it_nulls():
    catalogue = build_data(list=[{"id": "1"}, {"id": "2"}, {"id": "1"}])
    stock = build_data_with_error(
        "no price", "_entities", 0, "sku", _entities=[None, {"sku": "K", "warehouse": None}]
    )
    async with run_graph("shop", catalogue=catalogue, stock=stock) as shop:
        result = await shop.run("{ list: products { warehouse { id } } }")

    assert result.data == {"list": [{"warehouse": None}, {"warehouse": None}, {"warehouse": None}]}
    broken = {"code": "BROKEN"}
    assert result.errors == [
        build_error("no price", "list", index, "warehouse", column=20, extensions=broken) for index in (0, 2)
    ]


async def test_an_error_path_below_an_entity_uses_the_aliases_of_the_client():
    catalogue = build_data(products=[{"id": "1"}])
    stock = build_data_with_error("gone", "_entities", 0, "place", _entities=[{"place": None}])
    async with run_graph("shop", catalogue=catalogue, stock=stock) as shop:
        result = await shop.run("{ products { place: warehouse { id } } }")

    assert [error["path"] for error in result.errors] == [["products", 0, "place"]]


async def test_a_null_in_a_non_null_field_propagates_to_the_nearest_nullable_parent():
    catalogue = build_data(product={"id": "1", "name": "Boat"})
    async with run_graph(
        "shop", catalogue=catalogue, stock=build_data(_entities=[{"inStock": None}])
    ) as shop:
        result = await shop.run('{ product(id: "1") { name inStock } }')

    assert result.data == {"product": None}
    message = "Cannot return null for non-nullable field Product.inStock."
    assert result.errors == [build_error(message, "product", "inStock", column=27)]


async def test_a_null_in_a_list_of_non_null_items_nulls_the_whole_answer():
    catalogue = build_data(products=[{"id": "1"}, {"id": "2"}])
    stock = build_data(_entities=[{"inStock": 1}, {"inStock": None}])
    async with run_graph("shop", catalogue=catalogue, stock=stock) as shop:
        result = await shop.run("{ products { inStock } }")

    assert result.data is None
    assert [error["path"] for error in result.errors] == [["products", 1, "inStock"]]


async def test_the_subgraphs_error_explains_the_null_and_no_second_one_is_added():
    catalogue = build_data(product={"id": "1"})
    stock = build_data_with_error("counting", "_entities", 0, "inStock", _entities=[None])
    async with run_graph("shop", catalogue=catalogue, stock=stock) as shop:
        result = await shop.run('{ product(id: "1") { inStock } }')

    assert result.data == {"product": None}
    assert [(error["message"], error["path"]) for error in result.errors] == [
        ("counting", ["product", "inStock"])
    ]


async def test_a_failed_subgraph_does_not_affect_the_rest_of_the_data():
    catalogue = build_data(products=[{"id": "1", "name": "Boat"}])
    stock = {"errors": [{"message": "down"}]}
    async with run_graph("shop", catalogue=catalogue, stock=stock) as shop:
        result = await shop.run("{ products { name warehouse { id } } }")

    assert result.data == {"products": [{"name": "Boat", "warehouse": None}]}
    assert result.errors == [build_error("down", "products", 0, "warehouse", column=19)]


async def test_a_value_of_the_wrong_type_is_null_with_an_error():
    catalogue = build_data(products=[{"name": 7}])
    async with run_graph("shop", catalogue=catalogue) as shop:
        result = await shop.run("{ products { name } }")

    assert result.data is None
    message = "Product.name is of type String, but the service sent something else."
    assert result.errors == [build_error(message, "products", 0, "name", column=14)]


async def test_a_scalar_in_place_of_an_object_is_null_with_an_error():
    async with run_graph("shop", catalogue=build_data(product="Boat")) as shop:
        result = await shop.run('{ product(id: "1") { name } }')

    assert result.data == {"product": None}
    assert [error["path"] for error in result.errors] == [["product"]]


async def test_an_entity_that_does_not_exist_is_null_without_an_error():
    catalogue = build_data(products=[{"id": "1", "name": "Boat"}])
    async with run_graph("shop", catalogue=catalogue, stock=build_data(_entities=[None])) as shop:
        result = await shop.run("{ products { name warehouse { id } } }")

    assert result.data == {"products": [{"name": "Boat", "warehouse": None}]}
    assert result.errors == []


async def test_missing_entities_are_an_error_at_each_of_their_places():
    catalogue = build_data(products=[{"id": "1"}, {"id": "2"}])
    async with run_graph(
        "shop", catalogue=catalogue, stock=build_data(_entities=[{"place": {"id": "w"}}])
    ) as shop:
        result = await shop.run("{ products { warehouse { id } } }")

    assert result.data == {"products": [{"warehouse": None}, {"warehouse": None}]}
    paths = [error["path"] for error in result.errors]
    assert paths == [["products", 0, "warehouse"], ["products", 1, "warehouse"]]


async def test_a_failure_is_reported_once_for_each_null_and_nowhere_else():
    catalogue = build_data(product={"id": "1", "name": "Boat"}, products=[{"id": "2", "name": "Kite"}])
    async with run_graph("shop", catalogue=catalogue, stock={"errors": [{"message": "down"}]}) as shop:
        result = await shop.run('{ product(id: "1") { inStock } products { name } }')

    assert result.data == {"product": None, "products": [{"name": "Kite"}]}
    assert result.errors == [build_error("down", "product", "inStock", column=22)]


async def test_the_location_of_an_error_is_in_the_fragment_of_its_field():
    text = "{ products { ...More } }\nfragment More on Product {\n  name\n  warehouse { id }\n}"
    catalogue = build_data(products=[{"id": "1", "name": "Boat"}])
    async with run_graph("shop", catalogue=catalogue, stock={"errors": [{"message": "down"}]}) as shop:
        result = await shop.run(text)

    [error] = result.errors
    assert (error["path"], error["locations"]) == (["products", 0, "warehouse"], [{"line": 4, "column": 3}])


NOTED = "subscription { noted { text likes } }"


def build_note(id_: str) -> dict[str, Any]:
    return build_data(noted={"id": id_, "text": "Hi"})


async def test_an_error_of_an_entity_is_reported_in_its_own_event():
    b = build_data_with_error("torn", "_entities", 1, "likes", _entities=[{"likes": 1}, None])
    async with run_graph("profiles", b=b) as profiles:
        first, second, third = await profiles.run_events(NOTED, *map(build_note, ("1", "2", "1")))

    assert [each.data for each in (first, third)] == [{"noted": {"text": "Hi", "likes": 1}}] * 2
    assert (first.errors, third.errors, second.data) == ([], [], None)
    broken = {"code": "BROKEN"}
    assert second.errors == [build_error("torn", "noted", "likes", column=29, extensions=broken)]


async def test_an_event_without_data_does_not_affect_those_that_are_completed_with_it():
    failed = {"data": None, "errors": [{"message": "lost", "path": ["noted"]}]}
    async with run_graph("profiles", b=build_data(_entities=[{"likes": 1}])) as profiles:
        first, second = await profiles.run_events(NOTED, failed, build_note("1"))

    assert (second.data, second.errors) == ({"noted": {"text": "Hi", "likes": 1}}, [])
    assert first.data is None
    assert first.errors == [build_error("lost", "noted", column=16)]


async def test_a_failed_fetch_is_reported_in_every_event_that_lacks_its_fields():
    async with run_graph("profiles", b={"errors": [{"message": "down"}]}) as profiles:
        results = await profiles.run_events(NOTED, *map(build_note, ("1", "2")))

    assert [each.data for each in results] == [None, None]
    for each in results:
        assert each.errors == [build_error("down", "noted", "likes", column=29)]
