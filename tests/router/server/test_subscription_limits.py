"""Limits of open subscriptions, in total and of one client."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from tests.router.running_library import Library, run_library
from tests.router.server.event_streams import ACCEPT, PUBLISHED, read_events
from tests.router.websocket_client import SILENCE, open_acknowledged_socket
from tests.support.waiting import wait_until

LIMITED = {"limits": {"max_subscriptions_per_client": 2}}


@asynccontextmanager
async def keep_open(library: Library, count: int, **headers: str) -> AsyncIterator[None]:
    """Keeps subscriptions open, each with a stream of its own to the subgraph."""
    before = library.books.open_streams
    async with AsyncExitStack() as stack:
        for number in range(count):
            # One document for each, because equal ones share a stream.
            query = {"query": f"subscription Silence{number} {{ silence {{ n{number}: title }} }}"}
            response = await stack.enter_async_context(
                library.client.post(library.url, json=query, headers=ACCEPT | headers)
            )
            stack.callback(response.close)
        await wait_until(lambda: library.books.open_streams == before + count)
        yield
    await wait_until(lambda: library.books.open_streams == before)


async def subscribe(library: Library, **headers: str) -> list[Any]:
    async with library.client.post(library.url, json=PUBLISHED, headers=ACCEPT | headers) as response:
        return [body for _, body in await read_events(response)]


async def test_a_client_at_its_limit_gets_an_error_at_once_and_others_are_served():
    async with run_library(**LIMITED) as library:
        other = {"authorization": f"Bearer {library.identities.issue_token(sub='other')}"}
        async with keep_open(library, 2):
            refusal, end = await subscribe(library)
            assert end is None
            assert refusal == {
                "errors": [
                    {
                        "message": "2 subscriptions of this client are open.",
                        "extensions": {"code": "TOO_MANY_OPERATIONS"},
                    }
                ]
            }
            assert await library.execute("{ average }") == {"data": {"average": 4.5}}
            assert len(await subscribe(library, **other)) == 3
        assert len(await subscribe(library)) == 3


async def test_a_socket_gets_an_error_message_for_a_subscription_beyond_the_limit():
    async with (
        run_library(**LIMITED) as library,
        keep_open(library, 2),
        open_acknowledged_socket(library) as socket,
    ):
        await socket.subscribe("1", SILENCE)
        message = await socket.receive()
    assert (message["type"], message["id"]) == ("error", "1")
    assert message["payload"][0]["extensions"]["code"] == "TOO_MANY_OPERATIONS"


@pytest.mark.parametrize("subject", ["one", "other"])
async def test_all_clients_together_have_a_limit_too(subject: str):
    async with run_library(limits={"max_subscriptions": 2}) as library:
        one, another = (
            {"authorization": f"Bearer {library.identities.issue_token(sub=name)}"}
            for name in ("one", subject)
        )
        async with keep_open(library, 2, **one):
            [refusal, _] = await subscribe(library, **another)
            assert refusal["errors"][0]["extensions"]["code"] == "OVERLOADED"
        assert len(await subscribe(library, **another)) == 3
