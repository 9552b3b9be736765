"""Subscriptions that a running router receives from a subgraph over WebSocket."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.router.running_library import Library, run_library
from tests.router.server.event_streams import ACCEPT, EXPECTED, PUBLISHED, read_events
from tests.router.websocket_client import SILENCE, open_acknowledged_socket
from tests.support.waiting import wait_until


@pytest.fixture
async def library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Library]:
    """The library whose books subgraph streams over WebSocket, at a path other than that of queries."""
    config = tmp_path / "router.yaml"
    config.write_text("router_subscriptions: {books: {protocol: graphql_ws, path: /subscriptions}}")
    monkeypatch.setenv("ROUTER_CONFIG", str(config))
    async with run_library() as running:
        yield running


async def test_events_arrive_with_the_entities_of_other_subgraphs_joined(library: Library):
    async with library.client.post(library.url, json=PUBLISHED, headers=ACCEPT) as response:
        assert await read_events(response) == EXPECTED
    upgrades = [request.get("upgrade") for request in library.books.requests]
    assert upgrades == ["websocket"]


async def test_a_client_that_completes_releases_the_upstream(library: Library):
    async with open_acknowledged_socket(library) as socket:
        await socket.subscribe("1", SILENCE)
        assert (await socket.receive())["payload"] == {"data": {"silence": {"title": "Moon"}}}
        assert library.books.open_streams == 1
        await socket.send(type="complete", id="1")
        await wait_until(lambda: library.books.open_streams == 0)
