"""Errors: they stand where the client looks, and cost no more of the answer than they must."""

from __future__ import annotations

from tests.router.executor.shop import data, failing, graph


async def test_an_entitys_error_stands_at_every_place_of_the_entity():
    catalogue = data(list=[{"id": "1"}, {"id": "2"}, {"id": "1"}])
    stock = failing("no price", "_entities", 0, "sku", _entities=[None, {"sku": "K"}])
    async with graph("shop", catalogue=catalogue, stock=stock) as shop:
        result = await shop.run("{ list: products { warehouse { id } } }")

    assert result.data == {"list": [{"warehouse": None}, {"warehouse": None}, {"warehouse": None}]}
    paths = [error["path"] for error in result.errors]
    assert paths == [["list", 0], ["list", 2]]
    assert result.errors[0] == {"message": "no price", "path": ["list", 0], "extensions": {"code": "BROKEN"}}


async def test_an_errors_path_goes_on_below_the_entity_in_the_clients_names():
    catalogue = data(products=[{"id": "1"}])
    stock = failing("gone", "_entities", 0, "place", _entities=[{"place": None}])
    async with graph("shop", catalogue=catalogue, stock=stock) as shop:
        result = await shop.run("{ products { place: warehouse { id } } }")

    assert [error["path"] for error in result.errors] == [["products", 0, "place"]]


async def test_a_null_where_none_may_be_travels_up_to_the_nearest_place_where_it_may():
    catalogue = data(product={"id": "1", "name": "Boat"})
    async with graph("shop", catalogue=catalogue, stock=data(_entities=[{"inStock": None}])) as shop:
        result = await shop.run('{ product(id: "1") { name inStock } }')

    assert result.data == {"product": None}
    assert result.errors == [
        {
            "message": "Cannot return null for non-nullable field Product.inStock.",
            "path": ["product", "inStock"],
        }
    ]


async def test_a_null_in_a_list_of_non_null_items_takes_the_whole_answer():
    catalogue = data(products=[{"id": "1"}, {"id": "2"}])
    stock = data(_entities=[{"inStock": 1}, {"inStock": None}])
    async with graph("shop", catalogue=catalogue, stock=stock) as shop:
        result = await shop.run("{ products { inStock } }")

    assert result.data is None
    assert [error["path"] for error in result.errors] == [["products", 1, "inStock"]]


async def test_the_subgraphs_error_explains_the_null_and_no_second_one_is_added():
    catalogue = data(product={"id": "1"})
    stock = failing("counting", "_entities", 0, "inStock", _entities=[None])
    async with graph("shop", catalogue=catalogue, stock=stock) as shop:
        result = await shop.run('{ product(id: "1") { inStock } }')

    assert result.data == {"product": None}
    assert [(error["message"], error["path"]) for error in result.errors] == [
        ("counting", ["product", "inStock"])
    ]


async def test_a_subgraph_that_gives_no_answer_leaves_the_rest_of_the_data():
    catalogue = data(products=[{"id": "1", "name": "Boat"}])
    stock = {"errors": [{"message": "down"}]}
    async with graph("shop", catalogue=catalogue, stock=stock) as shop:
        result = await shop.run("{ products { name warehouse { id } } }")

    assert result.data == {"products": [{"name": "Boat", "warehouse": None}]}
    assert result.errors == [{"message": "down", "path": ["products"]}]


async def test_a_value_of_the_wrong_type_is_null_with_an_error():
    catalogue = data(products=[{"name": 7}])
    async with graph("shop", catalogue=catalogue) as shop:
        result = await shop.run("{ products { name } }")

    assert result.data is None
    assert result.errors == [
        {
            "message": "Product.name is of type String, but the service sent something else.",
            "path": ["products", 0, "name"],
        }
    ]


async def test_an_object_that_is_not_one_is_null_with_an_error():
    async with graph("shop", catalogue=data(product="Boat")) as shop:
        result = await shop.run('{ product(id: "1") { name } }')

    assert result.data == {"product": None}
    assert [error["path"] for error in result.errors] == [["product"]]
