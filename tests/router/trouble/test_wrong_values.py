"""Values that do not match the schema become null, each with an error."""

from typing import Any

import pytest

from tests.router.trouble.single import build_data_response, build_response, run_single


@pytest.mark.parametrize(
    ("query", "fields", "answer", "paths"),
    [
        ("{ colour }", {"colour": "GREEN"}, {"colour": None}, [["colour"]]),
        ("{ colour }", {"colour": ["RED"]}, {"colour": None}, [["colour"]]),
        ("{ colours }", {"colours": ["RED", "GREEN"]}, {"colours": None}, [["colours", 1]]),
        ("{ i }", {"i": 4294967296}, {"i": None}, [["i"]]),
        ("{ i }", {"i": -2147483649}, {"i": None}, [["i"]]),
        ("{ i }", {"i": 2147483647.0}, {"i": 2147483647}, []),
        ("{ i }", {"i": 1.5}, {"i": None}, [["i"]]),
        ("{ i }", {"i": True}, {"i": None}, [["i"]]),
        ("{ i }", {"i": "1"}, {"i": None}, [["i"]]),
        ("{ f }", {"f": 7}, {"f": 7}, []),
        ("{ f }", {"f": "7"}, {"f": None}, [["f"]]),
        ("{ b }", {"b": 1}, {"b": None}, [["b"]]),
        ("{ id }", {"id": 7}, {"id": "7"}, []),
        ("{ id }", {"id": 7.5}, {"id": None}, [["id"]]),
        ("{ s }", {"s": 7}, {"s": None}, [["s"]]),
        ("{ s x: i }", {}, {"s": None, "x": None}, [["s"], ["x"]]),
        ("{ thing { id } }", {"thing": {"__typename": "Plate", "id": "1"}}, {"thing": None}, [["thing"]]),
        (
            "{ things { id } }",
            {"things": [{"__typename": "Cup", "id": "1"}, {"__typename": "Plate", "id": "2"}]},
            {"things": [{"id": "1"}, None]},
            [["things", 1]],
        ),
        ("{ one { size } }", {"one": {}}, {"one": None}, [["one", "size"]]),
        ("{ one { size } }", {"one": {"size": None}}, {"one": None}, [["one", "size"]]),
        ("{ sure { size } s }", {"s": "x"}, None, [["sure"]]),
        ("{ one { id } }", {"one": ["1"]}, {"one": None}, [["one"]]),
        ("{ things { id } }", {"things": {"id": "1"}}, {"things": None}, [["things"]]),
    ],
)
async def test_the_value_is_null_with_an_error(
    query: str, fields: dict[str, Any], answer: Any, paths: list[list[str | int]]
):
    async with run_single(build_data_response(**fields)) as running:
        result = await running.execute(query)
    assert result["data"] == answer
    assert [error["path"] for error in result.get("errors", [])] == paths
    assert all(len(error["locations"]) == 1 for error in result.get("errors", []))


async def test_each_root_field_of_an_unavailable_subgraph_has_its_error():
    async with run_single(build_response(b"<html/>", "502 Bad Gateway", "text/html"), retries=0) as running:
        result = await running.execute("{ s x: i }")
    assert result["data"] == {"s": None, "x": None}
    assert [(error["path"], error["locations"]) for error in result["errors"]] == [
        (["s"], [{"line": 1, "column": 3}]),
        (["x"], [{"line": 1, "column": 5}]),
    ]


async def test_the_name_of_an_inaccessible_type_is_not_revealed():
    async with run_single(build_data_response(thing={"__typename": "Secret", "id": "1"})) as running:
        assert "Secret" not in await running.fetch_text("{ thing { id } }")
