"""Operations of which a caller may have but a part, at a running router that answers the part."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.router.running import Library, opened
from tests.router.server.event_streams import events

REFUSED = {
    "message": "Authentication is required.",
    "path": ["mine"],
    "extensions": {"code": "UNAUTHENTICATED"},
}
LACKING = {
    "message": "The caller lacks a required scope or policy.",
    "path": ["secret"],
    "extensions": {"code": "FORBIDDEN"},
}


@pytest.fixture(scope="module")
async def partly() -> AsyncIterator[Library]:
    async with opened(router_unauthorized="null") as library:
        yield library


async def test_what_an_anonymous_caller_may_not_have_is_null_with_an_error_and_the_rest_is_answered(
    partly: Library,
):
    answer = await partly.ask("{ mine average books { title } }")
    assert answer == {
        "data": {"mine": None, "average": 4.5, "books": [{"title": "Moon"}, {"title": "Sea"}]},
        "errors": [REFUSED],
    }


async def test_each_caller_has_the_part_that_is_theirs(partly: Library):
    query = "{ secret: ledger mine }"
    parent, staff = (
        {"authorization": f"Bearer {partly.identities.token(scope=scope)}"} for scope in ("parent", "staff")
    )
    assert await partly.ask(query, **parent) == {
        "data": {"secret": None, "mine": "yours"},
        "errors": [LACKING],
    }
    assert await partly.ask(query, **staff) == {"data": {"secret": "balanced", "mine": "yours"}}
    anonymous = await partly.ask(query)
    assert anonymous["data"] == {"secret": None, "mine": None}
    assert [each["path"] for each in anonymous["errors"]] == [["secret"], ["mine"]]


async def test_nothing_is_fetched_for_what_is_withheld(partly: Library):
    partly.shelf.requests.clear()
    assert (await partly.ask("{ mine }"))["data"] == {"mine": None}
    assert partly.shelf.requests == []


async def test_a_subscription_whose_events_are_withheld_is_refused(partly: Library):
    body: Any = {"query": "subscription { private { id } }"}
    headers = {"accept": "text/event-stream"}
    async with partly.client.post(partly.url, json=body, headers=headers) as response:
        assert await events(response) == [
            ("next", {"errors": [{**REFUSED, "path": ["private"]}]}),
            ("complete", None),
        ]
