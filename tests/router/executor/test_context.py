"""Contextual arguments: each entity is fetched with the values from its own enclosing objects."""

from __future__ import annotations

from typing import Any

from router.executor import ExecutionRequest, compile_operation, execute
from router.planner import Planner
from router.supergraph import Supergraph
from tests.router.executor.market import Object, run_market
from tests.router.executor.shop import CONTEXT, build_data, build_error, run_graph
from tests.support.planning import SUPERGRAPHS, load_operation

UNITS = {"EUR": 10, "USD": 12, None: 1}


def build_shop(id_: str, *goods: str) -> Object:
    return {"__typename": "Shop", "id": id_, "goods": [{"id": each} for each in goods]}


def build_good(id_: str) -> Object:
    def price(_info: Any, unit: str | None = None, rounded: bool | None = None) -> int:
        return UNITS[unit] * int(id_[1:]) * (100 if rounded else 1)

    return {
        "__typename": "Good",
        "id": id_,
        "weight": int(id_[1:]),
        "price": price,
        "shipping": lambda _info, unit: f"{unit}",
        "hits": lambda _info, tags: len(tags),
        "makers": lambda _info, names: names and [name.upper() for name in names],
        "profit": lambda _info, margin: margin,
    }


GOODS = [build_good("g1"), build_good("g2"), build_good("g3")]


async def test_entities_are_fetched_once_for_each_value_of_their_context():
    shops = [
        {"id": "s1", "currency": "EUR"},
        {"id": "s2", "currency": "USD"},
        {"id": "s3", "currency": "EUR"},
    ]
    stocked = [build_shop("s1", "g1", "g2"), build_shop("s2", "g1"), build_shop("s3", "g2")]
    async with run_market({"shop": {"shops": shops}}, *stocked, *GOODS) as running:
        result = await running.run("{ shops { goods { id price } } }")

    assert result.errors == []
    assert result.data == {
        "shops": [
            {"goods": [{"id": "g1", "price": 10}, {"id": "g2", "price": 20}]},
            {"goods": [{"id": "g1", "price": 12}]},
            {"goods": [{"id": "g2", "price": 20}]},
        ]
    }
    assert running.list_representations("money")[1:] == [
        {
            "representations": [{"__typename": "Good", "id": "g1"}, {"__typename": "Good", "id": "g2"}],
            "representations1": [{"__typename": "Good", "id": "g1"}],
            "contextualArgument_0": "EUR",
            "contextualArgument_0_1": "USD",
        }
    ]


async def test_each_of_many_context_values_is_sent():
    tags = [[str(number)] * number for number in range(40)]
    shops = [{"id": f"s{len(each)}", "tags": each, "showcase": {"id": "g1"}} for each in tags]
    async with run_market({"shop": {"shops": shops}}, *GOODS) as running:
        result = await running.run("{ shops { showcase { hits } } }")

    assert result.errors == []
    assert result.data == {"shops": [{"showcase": {"hits": number}} for number in range(40)]}
    assert len(running.list_representations("money")) == 1


async def test_a_null_context_gives_null():
    shops = [{"id": "s1", "currency": None}, {"id": "s2", "currency": "USD"}]
    async with run_market(
        {"shop": {"shops": shops}}, build_shop("s1", "g3"), build_shop("s2", "g3"), *GOODS
    ) as running:
        result = await running.run("{ shops { goods { price } } }")

    assert result.data == {"shops": [{"goods": [{"price": 3}]}, {"goods": [{"price": 36}]}]}
    assert running.list_representations("money")[1]["contextualArgument_0"] is None


async def test_arguments_of_the_client_are_kept_whatever_the_aliases():
    shops = [{"id": "s1", "currency": "USD"}]
    text = """
        query($contextualArgument_0: Boolean) {
          currency: shops { id: goods { price: id unit: price(rounded: $contextualArgument_0) low: price } }
        }
    """
    async with run_market({"shop": {"shops": shops}}, build_shop("s1", "g2"), *GOODS) as running:
        result = await running.run(text, {"contextualArgument_0": True})

    assert result.errors == []
    assert result.data == {"currency": [{"id": [{"price": "g2", "unit": 2400, "low": 24}]}]}


async def test_lists_in_a_context_are_passed_completely():
    owners: list[Any] = [{"name": "Ada"}, {"name": None}, None]
    shops: list[Any] = [
        {"id": "s1", "tags": ["a", "b"], "owners": [{"name": "Bo"}], "showcase": {"id": "g1"}}
    ]
    async with run_market({"shop": {"shops": shops}}, *GOODS) as running:
        result = await running.run("{ shops { showcase { hits makers } } }")
    assert result.data == {"shops": [{"showcase": {"hits": 2, "makers": ["BO"]}}]}

    shops = [{"id": "s1", "owners": owners, "showcase": {"id": "g1"}}]
    async with run_market({"shop": {"shops": shops}}, {**build_good("g1"), "makers": None}) as running:
        await running.run("{ shops { showcase { makers } } }")
    assert running.list_representations("money")[0]["contextualArgument_0"] == ["Ada", None, None]


async def test_a_value_comes_from_the_enclosing_object_in_nested_lists():
    aisles = [[{"id": "s1", "currency": "EUR"}, None], None, [{"id": "s2", "currency": "USD"}]]
    windows = [
        {"__typename": "Shop", "id": "s1", "window": [{"__typename": "Good", "id": "g1"}]},
        {
            "__typename": "Shop",
            "id": "s2",
            "window": [{"__typename": "Poster", "id": "p1"}, {"__typename": "Good", "id": "g1"}],
        },
    ]
    async with run_market({"shop": {"aisles": aisles}}, *windows, *GOODS) as running:
        result = await running.run("{ aisles { window { id ... on Good { price } } } }")

    assert result.errors == []
    assert result.data == {
        "aisles": [
            [{"window": [{"id": "g1", "price": 10}]}, None],
            None,
            [{"window": [{"id": "p1"}, {"id": "g1", "price": 12}]}],
        ]
    }


async def test_the_type_of_the_enclosing_object_decides_what_is_read():
    def build_lot(id_: str) -> Object:
        return {"__typename": "Lot", "id": id_, "spot": lambda _info, at: f"{id_} at {at}"}

    places = [
        {"__typename": "Kiosk", "row": 4, "lot": {"id": "l1"}},
        {"__typename": "Cart", "number": 7, "lot": {"id": "l1"}},
        None,
        {"__typename": "Cart", "number": None, "lot": None},
    ]
    text = "{ places { ... on Kiosk { lot { spot } } ... on Cart { lot { spot } } } }"
    async with run_market({"money": {"places": places}}, build_lot("l1")) as running:
        result = await running.run(text)

    assert result.data == {
        "places": [{"lot": {"spot": "l1 at 4"}}, {"lot": {"spot": "l1 at 7"}}, None, {"lot": None}]
    }
    assert len(running.requests) == 2


async def test_one_place_may_have_enclosing_objects_of_several_types():
    outlets = [
        {"__typename": "Booth", "id": "b1", "currency": "USD", "goods": [{"id": "g1"}]},
        {"__typename": "Shop", "id": "s1", "goods": [{"id": "g1"}]},
    ]
    known = {"__typename": "Shop", "id": "s1", "currency": "EUR"}
    async with run_market({"money": {"outlets": outlets}}, known, *GOODS) as running:
        result = await running.run("{ outlets { goods { price } } }")

    assert result.data == {"outlets": [{"goods": [{"price": 12}]}, {"goods": [{"price": 10}]}]}


MARKETS = [{"code": "m1", "region": "North"}, {"code": "m2", "region": "South"}]


def build_crate(id_: str) -> Object:
    return {
        "__typename": "Crate",
        "id": id_,
        "tax": lambda _info, region, unit: len(region) + UNITS[unit],
        "discount": lambda _info, tier: len(tier),
        "duty": lambda _info, unit: UNITS[unit],
    }


async def test_values_of_several_enclosing_objects_are_combined():
    stalls = [
        {"id": "t1", "currency": "EUR", "crates": [{"id": "c1"}]},
        {"id": "t2", "currency": "USD", "crates": [{"id": "c1"}]},
    ]
    around = {"__typename": "Market", "code": "m1", "stalls": stalls}
    roots = {"shop": {"market": lambda _info, code: MARKETS[0], "visitor": {"tier": "gold"}}}
    async with run_market(roots, around, build_crate("c1")) as running:
        result = await running.run('{ market(code: "m1") { stalls { crates { tax duty discount } } } }')

    assert result.errors == []
    assert result.data == {
        "market": {
            "stalls": [
                {"crates": [{"tax": 15, "duty": 10, "discount": 4}]},
                {"crates": [{"tax": 17, "duty": 12, "discount": 4}]},
            ]
        }
    }
    assert [name for name, _ in running.requests] == ["shop", "money", "money"]


async def test_an_entity_in_two_contexts_has_an_answer_for_each():
    entities = [
        {"__typename": "Market", "code": "m1", "stalls": [{"id": "t1", "currency": "EUR"}]},
        {"__typename": "Market", "code": "m2", "stalls": [{"id": "t1", "currency": "EUR"}]},
        {"__typename": "Stall", "id": "t1", "spare": [{"id": "c1"}]},
        {**build_crate("c1"), "tax": lambda _info, region, unit: 1 if region == "North" else 2},
    ]
    async with run_market({"shop": {"markets": MARKETS}}, *entities) as running:
        result = await running.run("{ markets { stalls { spare { tax } } } }")

    assert result.errors == []
    assert result.data == {
        "markets": [{"stalls": [{"spare": [{"tax": 1}]}]}, {"stalls": [{"spare": [{"tax": 2}]}]}]
    }
    assert len(running.list_representations("ledger")[0]["representations"]) == 1


async def test_a_contextual_field_can_be_required():
    shops = [{"id": "s1", "currency": "EUR"}, {"id": "s2", "currency": "USD"}]
    stocked = [build_shop("s1", "g1"), build_shop("s2", "g1")]
    stocked = [{**each, "total": None, "margin": None} for each in stocked]
    async with run_market({"shop": {"shops": shops}}, *stocked, *GOODS) as running:
        await running.run("{ shops { total } }")

    assert running.list_representations("ledger")[0]["representations"] == [
        {"__typename": "Shop", "id": "s1", "goods": [{"price": 1000}]},
        {"__typename": "Shop", "id": "s2", "goods": [{"price": 1200}]},
    ]


async def test_an_excluded_contextual_field_is_not_fetched():
    shops = [{"id": "s1", "currency": "EUR", "showcase": {"id": "g1", "name": "Boat"}}]
    text = "query($with: Boolean!) { shops { showcase { name price @include(if: $with) } } }"
    async with run_market({"shop": {"shops": shops}}, *GOODS) as running:
        without = await running.run(text, {"with": False})
        including = await running.run(text, {"with": True})

    assert without.data == {"shops": [{"showcase": {"name": "Boat"}}]}
    assert including.data == {"shops": [{"showcase": {"name": "Boat", "price": 10}}]}
    assert [name for name, _ in running.requests] == ["shop", "shop", "money"]


async def test_without_objects_no_contextual_field_is_fetched():
    async with run_market(
        {"shop": {"shops": [{"id": "s1", "currency": "EUR", "showcase": None}]}}
    ) as running:
        result = await running.run("{ shops { showcase { price } } }")

    assert result.data == {"shops": [{"showcase": None}]}
    assert [name for name, _ in running.requests] == ["shop"]


async def test_contexts_reach_below_mutations_and_events():
    def build_opened(currency: str) -> dict[str, Any]:
        return {"id": "s1", "currency": currency, "showcase": {"id": "g1"}}

    roots = {"shop": {"open": lambda _info, name: build_opened("USD")}}
    async with run_market(roots, *GOODS) as running:
        mutated = await running.run('mutation { open(name: "New") { showcase { price } } }')
        events = [build_data(opened=build_opened(each)) for each in ("USD", "EUR")]
        results = await running.run_events("subscription { opened { showcase { price } } }", *events)

    assert mutated.data == {"open": {"showcase": {"price": 12}}}
    assert [each.data for each in results] == [
        {"opened": {"showcase": {"price": 12}}},
        {"opened": {"showcase": {"price": 10}}},
    ]


async def test_a_context_reaches_deferred_fields():
    shops = [
        {"id": "s1", "name": "A", "currency": "EUR", "showcase": {"id": "g1"}},
        {"id": "s2", "name": "B", "currency": "USD", "showcase": {"id": "g1"}},
    ]
    async with run_market({"shop": {"shops": shops}}, *GOODS) as running:
        first, later = await running.collect_payloads(
            "{ shops { name showcase { id ... @defer { price } } } }"
        )

    assert first["data"] == {
        "shops": [{"name": "A", "showcase": {"id": "g1"}}, {"name": "B", "showcase": {"id": "g1"}}]
    }
    assert [each["data"] for each in later["incremental"]] == [{"price": 10}, {"price": 12}]
    assert later["hasNext"] is False


async def test_an_error_is_reported_at_its_own_object():
    shops = [
        {"id": "s1", "currency": "EUR", "showcase": {"id": "g1"}},
        {"id": "s2", "currency": "USD", "showcase": {"id": "g2"}},
        {"id": "s3", "currency": "USD", "showcase": {"id": "g1"}},
    ]

    def price(_info: Any, unit: str) -> int:
        raise ValueError(f"no price in {unit}")

    async with run_market(
        {"shop": {"shops": shops}}, build_good("g1"), {**build_good("g2"), "price": price}
    ) as running:
        result = await running.run("{ shops { showcase { cost: price } } }")

    assert result.data == {
        "shops": [{"showcase": {"cost": 10}}, {"showcase": {"cost": None}}, {"showcase": {"cost": 12}}]
    }
    assert result.errors == [build_error("no price in USD", "shops", 1, "showcase", "cost", column=22)]


async def test_a_failed_context_gives_null_and_is_reported():
    def currency(_info: Any) -> str:
        raise ValueError("no currency")

    shops = [
        {"id": "s1", "currency": currency, "showcase": {"id": "g1"}},
        {"id": "s2", "currency": "EUR", "showcase": {"id": "g1"}},
    ]
    async with run_market({"shop": {"shops": shops}}, *GOODS) as running:
        result = await running.run("{ shops { showcase { price } } }")

    assert result.data == {"shops": [{"showcase": {"price": 1}}, {"showcase": {"price": 10}}]}
    assert result.errors == [build_error("no currency", "shops", 0, column=3)]


async def test_a_field_with_a_required_argument_is_not_fetched_without_a_value():
    text = (SUPERGRAPHS / "market.graphql").read_text()
    strict = Supergraph.parse(text.replace('name: "unit", type: "String"', 'name: "unit", type: "String!"'))
    shops = [
        {"id": "s1", "currency": None, "showcase": {"id": "g1"}},
        {"id": "s2", "currency": "EUR", "showcase": {"id": "g1"}},
        {"id": "s3", "currency": None, "showcase": {"id": "g1"}},
    ]
    async with run_market({"shop": {"shops": shops}}, *GOODS) as running:
        compiled = compile_operation(
            Planner(strict), load_operation("market", "{ shops { showcase { price } } }")
        )
        result = await execute(compiled, ExecutionRequest({}, running.transport, CONTEXT))

    assert result.data == {
        "shops": [{"showcase": {"price": None}}, {"showcase": {"price": 10}}, {"showcase": {"price": None}}]
    }
    missing = "An argument needs a value from the context, which has none."
    assert result.errors == [
        build_error(missing, "shops", index, "showcase", "price", column=22) for index in (0, 2)
    ]
    assert len(running.list_representations("money")[0]["representations"]) == 1


async def test_nothing_is_fetched_if_no_object_has_a_value():
    text = (SUPERGRAPHS / "market.graphql").read_text()
    strict = Supergraph.parse(text.replace('name: "unit", type: "String"', 'name: "unit", type: "String!"'))
    shops = [{"id": "s1", "currency": None, "showcase": {"id": "g1"}}]
    async with run_market({"shop": {"shops": shops}}, *GOODS) as running:
        compiled = compile_operation(
            Planner(strict), load_operation("market", "{ shops { showcase { price } } }")
        )
        result = await execute(compiled, ExecutionRequest({}, running.transport, CONTEXT))

    assert result.data == {"shops": [{"showcase": {"price": None}}]}
    assert [name for name, _ in running.requests] == ["shop"]


async def test_an_enclosing_object_of_an_unknown_type_gives_null():
    outlets = [{"__typename": "Stranger", "goods": [{"id": "g1"}]}]
    async with run_graph("market", money=build_data(outlets=outlets, _entities=[{"price": 1}])) as running:
        result = await running.run("{ outlets { goods { price } } }")

    assert running.list_representations("money")[1]["contextualArgument_0"] is None
    assert result.data is None


async def test_an_error_without_a_path_is_reported_at_every_null_field():
    shops = [
        {"id": "s1", "currency": "EUR", "showcase": {"id": "g1"}},
        {"id": "s2", "currency": "USD", "showcase": {"id": "g1"}},
    ]
    down = {"errors": [{"message": "down"}]}
    async with run_graph("market", shop=build_data(shops=shops), money=down) as running:
        result = await running.run("{ shops { showcase { price } } }")

    assert result.data == {"shops": [{"showcase": {"price": None}}, {"showcase": {"price": None}}]}
    assert result.errors == [
        build_error("down", "shops", index, "showcase", "price", column=22) for index in (0, 1)
    ]
