"""Redaction of subgraph errors for clients."""

from typing import Any

import orjson
import pytest

from tests.router.trouble.single import build_chunked_response, build_response, run_single

ERROR: dict[str, Any] = {
    "message": "no row of mila@example.com",
    "path": ["s"],
    "locations": [{"line": 9, "column": 9}],
}


def build_broken_response(**extensions: Any) -> bytes:
    error: dict[str, Any] = {**ERROR, "extensions": {"stacktrace": ["at home"], **extensions}}
    return build_response(orjson.dumps({"data": {"s": None}, "errors": [error]}))


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("QUOTE_EXPIRED", "QUOTE_EXPIRED"),
        ("no row of mila@example.com", "DOWNSTREAM_SERVICE_ERROR"),
        (7, "DOWNSTREAM_SERVICE_ERROR"),
        (None, "DOWNSTREAM_SERVICE_ERROR"),
    ],
)
async def test_errors_of_an_unlisted_subgraph_keep_only_their_code_and_place(sent: Any, shown: str):
    async with run_single(build_broken_response(code=sent), include_subgraph_errors="b") as running:
        assert await running.execute("{ s }") == {
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
    async with run_single(build_broken_response(code="BROKEN"), include_subgraph_errors=listed) as running:
        [error] = (await running.execute("{ s }"))["errors"]
    assert error["message"] == ERROR["message"]
    assert error["extensions"] == {"stacktrace": ["at home"], "code": "BROKEN"}


async def test_by_default_errors_are_shown_in_development_and_redacted_in_production():
    async with run_single(build_broken_response()) as running:
        assert "mila@example.com" in await running.fetch_text("{ s }")
    async with run_single(build_broken_response(), production=True) as running:
        assert "mila@example.com" not in await running.fetch_text("{ s }")


@pytest.mark.parametrize(("listed", "is_shown"), [("b", False), ("a", True)])
async def test_errors_of_events_are_redacted_too(listed: str, is_shown: bool):
    event = orjson.dumps({"data": {"tick": None}, "errors": [{**ERROR, "path": ["tick"]}]})
    answer = build_chunked_response(b"event: next\ndata: %b\n\n" % event, b"event: complete\n\n")
    async with run_single(lambda *_: answer, include_subgraph_errors=listed) as running:
        text = await running.fetch_text("subscription { tick }", accept="text/event-stream")
    assert ("mila@example.com" in text) is is_shown
    assert '"path":["tick"]' in text
