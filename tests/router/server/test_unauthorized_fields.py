"""Partly unauthorized operations at a router that answers the rest (`ROUTER_UNAUTHORIZED=null`)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.router.running_library import Library, run_library
from tests.router.server.event_streams import read_events

UNAUTHENTICATED = {
    "message": "Authentication is required.",
    "path": ["mine"],
    "extensions": {"code": "UNAUTHENTICATED"},
}
FORBIDDEN = {
    "message": "The caller lacks a required scope or policy.",
    "path": ["secret"],
    "extensions": {"code": "FORBIDDEN"},
}


@pytest.fixture(scope="module")
async def partial_library() -> AsyncIterator[Library]:
    async with run_library(router_unauthorized="null") as library:
        yield library


async def test_unauthorized_fields_are_null_with_an_error_and_the_rest_is_answered(
    partial_library: Library,
):
    answer = await partial_library.execute("{ mine average books { title } }")
    assert answer == {
        "data": {"mine": None, "average": 4.5, "books": [{"title": "Moon"}, {"title": "Sea"}]},
        "errors": [UNAUTHENTICATED],
    }


async def test_each_caller_gets_the_fields_that_they_may_read(partial_library: Library):
    query = "{ secret: ledger mine }"
    parent, staff = (
        {"authorization": f"Bearer {partial_library.identities.issue_token(scope=scope)}"}
        for scope in ("parent", "staff")
    )
    assert await partial_library.execute(query, **parent) == {
        "data": {"secret": None, "mine": "yours"},
        "errors": [FORBIDDEN],
    }
    assert await partial_library.execute(query, **staff) == {"data": {"secret": "balanced", "mine": "yours"}}
    anonymous = await partial_library.execute(query)
    assert anonymous["data"] == {"secret": None, "mine": None}
    assert [each["path"] for each in anonymous["errors"]] == [["secret"], ["mine"]]


async def test_unauthorized_fields_are_not_fetched(partial_library: Library):
    partial_library.books.requests.clear()
    assert (await partial_library.execute("{ mine }"))["data"] == {"mine": None}
    assert partial_library.books.requests == []


async def test_a_subscription_to_an_unauthorized_field_is_refused(partial_library: Library):
    body: Any = {"query": "subscription { private { id } }"}
    headers = {"accept": "text/event-stream"}
    async with partial_library.client.post(partial_library.url, json=body, headers=headers) as response:
        assert await read_events(response) == [
            ("next", {"errors": [{**UNAUTHENTICATED, "path": ["private"]}]}),
            ("complete", None),
        ]
