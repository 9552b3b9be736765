"""What clients read of subgraphs' errors in production."""

from typing import Any

import orjson
import pytest

from tests.router.trouble.single import http, single

ERROR: dict[str, Any] = {
    "message": "no row of mila@example.com",
    "path": ["s"],
    "locations": [{"line": 9, "column": 9}],
}


def broken(**extensions: Any) -> bytes:
    error: dict[str, Any] = {**ERROR, "extensions": {"stacktrace": ["at home"], **extensions}}
    return http(orjson.dumps({"data": {"s": None}, "errors": [error]}))


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("QUOTE_EXPIRED", "QUOTE_EXPIRED"),
        ("no row of mila@example.com", "DOWNSTREAM_SERVICE_ERROR"),
        (7, "DOWNSTREAM_SERVICE_ERROR"),
        (None, "DOWNSTREAM_SERVICE_ERROR"),
    ],
)
async def test_a_subgraph_that_is_not_listed_is_told_of_by_code_and_place(sent: Any, shown: str):
    async with single(broken(code=sent), include_subgraph_errors="b") as running:
        assert await running.ask("{ s }") == {
            "data": {"s": None},
            "errors": [
                {
                    "message": "The service 'a' reported an error.",
                    "path": ["s"],
                    "locations": [{"line": 1, "column": 3}],
                    "extensions": {"code": shown, "serviceName": "a"},
                }
            ],
        }


@pytest.mark.parametrize("listed", ["a", "b,a", "*"])
async def test_the_errors_of_a_listed_subgraph_are_shown(listed: str):
    async with single(broken(code="BROKEN"), include_subgraph_errors=listed) as running:
        [error] = (await running.ask("{ s }"))["errors"]
    assert error["message"] == ERROR["message"]
    assert error["extensions"] == {"stacktrace": ["at home"], "code": "BROKEN"}


async def test_where_nothing_is_listed_development_shows_and_production_does_not():
    async with single(broken()) as running:
        assert "mila@example.com" in await running.text("{ s }")
    async with single(broken(), production=True) as running:
        assert "mila@example.com" not in await running.text("{ s }")
