"""Errors: they stand where the client looks, and cost no more of the answer than they must."""

from __future__ import annotations

from tests.router.executor.shop import data, failing, graph, problem


async def test_an_entitys_error_stands_at_every_field_that_is_null_for_it():
    catalogue = data(list=[{"id": "1"}, {"id": "2"}, {"id": "1"}])
    stock = failing("no price", "_entities", 0, "sku", _entities=[None, {"sku": "K", "warehouse": None}])
    async with graph("shop", catalogue=catalogue, stock=stock) as shop:
        result = await shop.run("{ list: products { warehouse { id } } }")

    assert result.data == {"list": [{"warehouse": None}, {"warehouse": None}, {"warehouse": None}]}
    broken = {"code": "BROKEN"}
    assert result.errors == [
        problem("no price", "list", index, "warehouse", column=20, extensions=broken) for index in (0, 2)
    ]


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
    message = "Cannot return null for non-nullable field Product.inStock."
    assert result.errors == [problem(message, "product", "inStock", column=27)]


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
    assert result.errors == [problem("down", "products", 0, "warehouse", column=19)]


async def test_a_value_of_the_wrong_type_is_null_with_an_error():
    catalogue = data(products=[{"name": 7}])
    async with graph("shop", catalogue=catalogue) as shop:
        result = await shop.run("{ products { name } }")

    assert result.data is None
    message = "Product.name is of type String, but the service sent something else."
    assert result.errors == [problem(message, "products", 0, "name", column=14)]


async def test_an_object_that_is_not_one_is_null_with_an_error():
    async with graph("shop", catalogue=data(product="Boat")) as shop:
        result = await shop.run('{ product(id: "1") { name } }')

    assert result.data == {"product": None}
    assert [error["path"] for error in result.errors] == [["product"]]


async def test_an_entity_that_does_not_exist_is_null_without_an_error():
    catalogue = data(products=[{"id": "1", "name": "Boat"}])
    async with graph("shop", catalogue=catalogue, stock=data(_entities=[None])) as shop:
        result = await shop.run("{ products { name warehouse { id } } }")

    assert result.data == {"products": [{"name": "Boat", "warehouse": None}]}
    assert result.errors == []


async def test_too_few_entities_are_an_error_at_each_that_lacks():
    catalogue = data(products=[{"id": "1"}, {"id": "2"}])
    async with graph("shop", catalogue=catalogue, stock=data(_entities=[{"place": {"id": "w"}}])) as shop:
        result = await shop.run("{ products { warehouse { id } } }")

    assert result.data == {"products": [{"warehouse": None}, {"warehouse": None}]}
    paths = [error["path"] for error in result.errors]
    assert paths == [["products", 0, "warehouse"], ["products", 1, "warehouse"]]


async def test_a_failure_is_told_once_for_each_null_and_not_of_what_it_leaves_alone():
    catalogue = data(product={"id": "1", "name": "Boat"}, products=[{"id": "2", "name": "Kite"}])
    async with graph("shop", catalogue=catalogue, stock={"errors": [{"message": "down"}]}) as shop:
        result = await shop.run('{ product(id: "1") { inStock } products { name } }')

    assert result.data == {"product": None, "products": [{"name": "Kite"}]}
    assert result.errors == [problem("down", "product", "inStock", column=22)]


async def test_the_place_of_a_field_is_that_of_the_fragment_it_stands_in():
    text = "{ products { ...More } }\nfragment More on Product {\n  name\n  warehouse { id }\n}"
    catalogue = data(products=[{"id": "1", "name": "Boat"}])
    async with graph("shop", catalogue=catalogue, stock={"errors": [{"message": "down"}]}) as shop:
        result = await shop.run(text)

    [error] = result.errors
    assert (error["path"], error["locations"]) == (["products", 0, "warehouse"], [{"line": 4, "column": 3}])
