"""A subgraph whose answers have the form of GraphQL but do not match the query."""

from typing import Any

import orjson
import pytest

from tests.router.trouble.misbehaving import answer_with, build_response, run_library

TITLES = ["Moon", "Sea"]
PLACES = [["books", 0, "stars"], ["books", 1, "stars"]]


@pytest.mark.parametrize(
    "response",
    [
        {"data": {"_entities": None}},
        {"data": {"_entities": 7}},
        {"data": {"_entities": "stars"}},
        {"data": {"_entities": {"stars": 4}}},
        {"data": {"_entities": []}},
        {"data": {"_entities": [4, "five"]}},
        {"data": {"_entities": [[], []]}},
        {"data": {"_entities": [{}, {}, {}, {}]}},
        {"data": {"_entities": [{"stars": "four"}, {"stars": {"of": 5}}]}},
        {"data": {"_entities": [{"stars": [4]}, {"stars": 1e300}]}},
        {"data": {}},
        {"data": {"_entities": None}, "errors": [{}]},
        {"data": None, "errors": [{"message": 5, "path": 5, "extensions": 5}]},
        {"data": None, "errors": [{"message": None, "path": "_entities", "locations": {}}]},
        {"data": None, "errors": [{"message": "torn", "path": ["_entities", "one", None, {}]}]},
        {"data": None, "errors": [{"message": "torn", "path": ["_entities", 900, "stars"]}]},
        {"data": None, "errors": [{"message": "torn", "path": ["_entities", -1, "stars"]}]},
        {"data": None, "errors": [{"message": "torn", "path": ["_entities", 0, [], 1.5]}]},
    ],
)
async def test_each_field_is_null_with_an_error_and_the_rest_is_answered(response: dict[str, Any]):
    async with run_library(answer_with(build_response(orjson.dumps(response)))) as running:
        answer = await running.execute()
    assert answer["data"] == {"books": [{"title": title, "stars": None} for title in TITLES]}
    assert sorted(error["path"] for error in answer["errors"]) == PLACES
    assert all(isinstance(error["message"], str) for error in answer["errors"])


async def test_entities_that_do_not_exist_are_null_without_an_error():
    response = build_response(b'{"data": {"_entities": [null, null]}}')
    async with run_library(answer_with(response)) as running:
        assert await running.execute() == {
            "data": {"books": [{"title": each, "stars": None} for each in TITLES]}
        }


@pytest.mark.parametrize("path", [5, "average", [[]], ["average", {}], [None]])
async def test_an_error_with_an_invalid_path_is_still_shown(path: Any):
    body = orjson.dumps({"data": None, "errors": [{"message": "torn", "path": path}]})
    async with run_library(answer_with(build_response(body))) as running:
        answer = await running.execute("{ average }")
    assert answer["data"] == {"average": None}
    assert [error["message"] for error in answer["errors"]] == ["torn"]
