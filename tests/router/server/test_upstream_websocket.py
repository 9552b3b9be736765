"""Subscriptions whose events come from their subgraph over WebSocket, asked of a running router."""

from collections.abc import AsyncIterator

import pytest

from tests.router.library import until
from tests.router.running import Library, opened
from tests.router.server.event_streams import ACCEPT, EXPECTED, PUBLISHED, events
from tests.router.websocket_client import SILENCE, acknowledged


@pytest.fixture
async def library(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Library]:
    """The library with its books subgraph subscribed to over WebSocket, at another path than its queries."""
    monkeypatch.setenv(
        "ROUTER_SUBSCRIPTIONS", '{"books": {"protocol": "graphql_ws", "path": "/subscriptions"}}'
    )
    async with opened() as running:
        yield running


async def test_events_arrive_with_the_entities_of_other_subgraphs_joined(library: Library):
    async with library.client.post(library.url, json=PUBLISHED, headers=ACCEPT) as response:
        assert await events(response) == EXPECTED
    upgrades = [request.get("upgrade") for request in library.shelf.requests]
    assert upgrades == ["websocket"]


async def test_a_client_that_completes_releases_the_upstream(library: Library):
    async with acknowledged(library) as socket:
        await socket.subscribe("1", SILENCE)
        assert (await socket.receive())["payload"] == {"data": {"silence": {"title": "Moon"}}}
        assert library.shelf.open_streams == 1
        await socket.send(type="complete", id="1")
        await until(lambda: library.shelf.open_streams == 0)
