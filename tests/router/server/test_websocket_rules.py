"""The rules of graphql-transport-ws for servers, checked against a running router."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeAlias

import pytest
from starlette.types import Message, Receive, Scope, Send

from router.app import create_app
from router.config.settings import load
from router.server import websocket
from router.server.application import Application
from tests.router.library import SUPERGRAPH
from tests.router.running_library import Library
from tests.router.websocket_client import PUBLISHED, SILENCE, open_acknowledged_socket, open_socket
from tests.support.serving import serve_app
from tests.support.waiting import wait_until

Rule: TypeAlias = Callable[[Library], Awaitable[None]]
AVERAGE = {"data": {"average": 4.5}}


async def messages_of_operations_are_interleaved_and_have_their_ids(library: Library) -> None:
    async with open_acknowledged_socket(library) as socket:
        await socket.subscribe("a", SILENCE)
        await socket.receive()
        await socket.subscribe("b", "{ average }")
        assert await socket.receive() == {"id": "b", "type": "next", "payload": AVERAGE}
        assert await socket.receive() == {"id": "b", "type": "complete"}


async def a_normal_closure_by_the_client_ends_all(library: Library) -> None:
    async with open_acknowledged_socket(library) as socket:
        await socket.subscribe("1", SILENCE)
        await wait_until(lambda: library.books.open_streams == 1)
        await socket.raw.close(code=1000)
    await wait_until(lambda: library.books.open_streams == 0)


async def an_initialisation_is_acknowledged(library: Library) -> None:
    for payload in ({}, {"payload": None}, {"payload": {"any": "thing"}}):
        async with open_socket(library) as socket:
            await socket.send(type="connection_init", **payload)
            assert await socket.receive() == {"type": "connection_ack"}


async def a_second_initialisation_closes_with_4429(library: Library) -> None:
    async with open_socket(library) as socket:
        await socket.send(type="connection_init")
        await socket.send(type="connection_init")
        assert await socket.wait_for_close() == (4429, "Too many initialisation requests")


async def a_rejected_initialisation_closes_with_4403(library: Library) -> None:
    async with open_socket(library) as socket:
        await socket.send(type="connection_init", payload={"Authorization": "Bearer x"})
        assert await socket.wait_for_close() == (4403, "Forbidden: The token is invalid.")


async def a_ping_is_answered_at_any_time(library: Library) -> None:
    async with open_socket(library) as socket:
        for payload in ({}, {"payload": {"n": 1}}):
            await socket.send(type="ping", **payload)
            assert await socket.receive() == {"type": "pong", **payload}


async def an_unsolicited_pong_is_ignored(library: Library) -> None:
    async with open_acknowledged_socket(library) as socket:
        await socket.send(type="pong")
        await socket.send(type="pong", payload={"n": 1})
        await socket.subscribe("1", "{ average }")
        assert (await socket.receive())["payload"] == AVERAGE


async def an_id_in_use_closes_with_4409(library: Library) -> None:
    async with open_acknowledged_socket(library) as socket:
        await socket.subscribe("1", SILENCE)
        await socket.subscribe("1", "{ average }")
        assert await socket.wait_for_close() == (4409, "Subscriber for 1 already exists")


async def an_id_can_be_used_again(library: Library) -> None:
    async with open_acknowledged_socket(library) as socket:
        for _ in range(2):
            await socket.subscribe("1", "{ average }")
            assert [(await socket.receive())["type"] for _ in range(2)] == ["next", "complete"]
        for _ in range(2):
            await socket.subscribe("1", SILENCE)
            assert (await socket.receive())["type"] == "next"
            await socket.send(type="complete", id="1")


async def a_subscription_before_the_acknowledgement_closes_with_4401(library: Library) -> None:
    async with open_socket(library) as socket:
        await socket.subscribe("1", "{ average }")
        assert await socket.wait_for_close() == (4401, "Unauthorized")


async def results_are_next_messages_and_then_comes_complete(library: Library) -> None:
    async with open_acknowledged_socket(library) as socket:
        await socket.subscribe("1", PUBLISHED)
        messages = [await socket.receive() for _ in range(3)]
    assert [each["type"] for each in messages] == ["next", "next", "complete"]
    assert [each.keys() for each in messages] == [{"id", "type", "payload"}] * 2 + [{"id", "type"}]


async def an_error_ends_the_operation_without_complete(library: Library) -> None:
    async with open_acknowledged_socket(library) as socket:
        await socket.subscribe("1", "{ nothing }")
        refusal = await socket.receive()
        assert (refusal["id"], refusal["type"]) == ("1", "error")
        assert isinstance(refusal["payload"], list)
        await socket.send(type="ping")
        assert await socket.receive() == {"type": "pong"}


async def after_complete_of_the_client_nothing_is_sent(library: Library) -> None:
    async with open_acknowledged_socket(library) as socket:
        await socket.subscribe("1", "{ average }")
        await socket.send(type="complete", id="1")
        await socket.send(type="ping")
        messages = []
        while (message := await socket.receive())["type"] != "pong":
            messages.append(message["type"])
        # The answer may have been under way before the client's complete arrived.
        assert messages in ([], ["next", "complete"])
        await socket.send(type="ping")
        assert await socket.receive() == {"type": "pong"}


async def complete_of_an_unknown_operation_is_ignored(library: Library) -> None:
    async with open_acknowledged_socket(library) as socket:
        await socket.send(type="complete", id="never")
        await socket.subscribe("1", "{ average }")
        assert (await socket.receive())["payload"] == AVERAGE


def check_invalid_message(text: str) -> Rule:
    async def closes_with_4400(library: Library) -> None:
        async with open_acknowledged_socket(library) as socket:
            await socket.raw.send_str(text)
            code, reason = await socket.wait_for_close()
        assert (code, bool(reason)) == (4400, True)

    return closes_with_4400


async def another_subprotocol_closes_with_4406(library: Library) -> None:
    async with open_socket(library, "graphql-ws") as socket:
        assert await socket.wait_for_close() == (4406, "Subprotocol not acceptable")


INVALID_MESSAGES = [
    "{",
    "[]",
    '"ping"',
    "{}",
    '{"type": 1}',
    '{"type": "next", "id": "1", "payload": {}}',
    '{"type": "connection_ack"}',
    '{"type": "connection_init", "payload": []}',
    '{"type": "ping", "payload": "x"}',
    '{"type": "pong", "payload": 1}',
    '{"type": "complete"}',
    '{"type": "complete", "id": 1}',
    '{"type": "complete", "id": ""}',
    f'{{"type": "complete", "id": "{"x" * 501}"}}',
    '{"type": "subscribe", "payload": {"query": "{ average }"}}',
    '{"type": "subscribe", "id": "1"}',
    '{"type": "subscribe", "id": "1", "payload": null}',
    '{"type": "subscribe", "id": "1", "payload": {}}',
    '{"type": "subscribe", "id": "1", "payload": {"query": 1}}',
    '{"type": "subscribe", "id": "1", "payload": {"query": "{ average }", "variables": []}}',
    '{"type": "subscribe", "id": "1", "payload": {"query": "{ average }", "operationName": 1}}',
    '{"type": "subscribe", "id": "1", "payload": {"query": "{ average }", "extensions": "x"}}',
]
RULES: list[tuple[str, str, Rule]] = [
    (
        "Communication",
        "operations with separate IDs can be active at any time",
        messages_of_operations_are_interleaved_and_have_their_ids,
    ),
    (
        "Communication",
        "The client closes the socket by dispatching 1000",
        a_normal_closure_by_the_client_ends_all,
    ),
    ("ConnectionAck", "Expected response to the ConnectionInit message", an_initialisation_is_acknowledged),
    ("ConnectionInit", "more than one: 4429", a_second_initialisation_closes_with_4429),
    (
        "ConnectionInit",
        "to reject the connection: 4403: Forbidden",
        a_rejected_initialisation_closes_with_4403,
    ),
    ("Ping", "A Pong must be sent in response", a_ping_is_answered_at_any_time),
    ("Pong", "may even be sent unsolicited", an_unsolicited_pong_is_ignored),
    ("Subscribe", "already an active subscriber: 4409", an_id_in_use_closes_with_4409),
    ("Subscribe", "it is free to re-use that ID", an_id_can_be_used_again),
    (
        "Subscribe",
        "if the connection is not acknowledged: 4401",
        a_subscription_before_the_acknowledgement_closes_with_4401,
    ),
    (
        "Next",
        "After all results, the Complete message will follow",
        results_are_next_messages_and_then_comes_complete,
    ),
    (
        "Error",
        "terminates the operation, no further messages",
        an_error_ends_the_operation_without_complete,
    ),
    ("Complete", "No further events should be sent through", after_complete_of_the_client_nothing_is_sent),
    (
        "Complete",
        "ignore messages for operations that are completed",
        complete_of_an_unknown_operation_is_ignored,
    ),
    ("Communication", "the WebSocket sub-protocol", another_subprotocol_closes_with_4406),
    *(("Invalid message", f"4400: {text[:60]}", check_invalid_message(text)) for text in INVALID_MESSAGES),
]


@pytest.mark.parametrize(
    ("message", "clause", "rule"), RULES, ids=[f"{message}: {clause}" for message, clause, _ in RULES]
)
async def test_the_router_follows_the_rule(library: Library, message: str, clause: str, rule: Rule):
    await rule(library)


async def test_a_client_that_does_not_initialise_in_time_is_closed_with_4408(
    library: Library, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(websocket, "INIT_TIMEOUT_SECONDS", 0.05)
    async with open_socket(library) as socket:
        await socket.send(type="ping")
        assert await socket.receive() == {"type": "pong"}
        assert await socket.wait_for_close() == (4408, "Connection initialisation timeout")


async def test_an_expired_token_closes_the_socket_without_failing_its_operations(library: Library):
    token = f"Bearer {library.identities.issue_brief_token()}"
    async with open_acknowledged_socket(library, {"authorization": token}) as socket:
        await socket.subscribe("1", SILENCE)
        assert (await socket.receive())["type"] == "next"
        message = await socket.raw.receive(timeout=10)
        assert (message.data, message.extra) == (4403, "Forbidden: The token has expired.")
    await wait_until(lambda: library.books.open_streams == 0)


async def test_an_idle_socket_is_closed_and_one_with_an_operation_stays(
    library: Library, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(websocket, "IDLE_SECONDS", 0.1)
    async with open_acknowledged_socket(library) as busy:
        await busy.subscribe("1", SILENCE)
        assert (await busy.receive())["type"] == "next"
        async with open_acknowledged_socket(library) as idle:
            assert await idle.wait_for_close() == (1000, "Idle timeout")
        await busy.send(type="complete", id="1")
        assert await busy.wait_for_close() == (1000, "Idle timeout")


async def test_a_client_that_does_not_read_is_disconnected(library: Library, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(websocket, "SEND_TIMEOUT_SECONDS", 0.05)
    library.books.titles["1"] = "Moon" * 250_000
    async with open_acknowledged_socket(library) as socket:
        connection = socket.raw._response.connection
        assert connection is not None
        assert connection.transport is not None
        connection.transport.pause_reading()
        for identifier in range(30):
            await socket.subscribe(str(identifier), f"subscription {{ silence {{ a{identifier}: title }} }}")
        await wait_until(lambda: library.books.open_streams > 0)
        await wait_until(lambda: library.books.open_streams == 0)


async def test_operations_of_a_disconnected_client_end_without_an_error(
    library: Library, caplog: pytest.LogCaptureFixture
):
    app = create_app(load(supergraph=SUPERGRAPH, subgraph_urls=library.subgraph_urls))
    may_disconnect = asyncio.Event()

    async def delay_disconnect(scope: Scope, receive: Receive, send: Send) -> None:
        """Delivers `websocket.disconnect` late, so that operations notice first that the client is gone."""

        async def receive_delayed() -> Message:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                await may_disconnect.wait()
            return message

        await app(scope, receive_delayed if scope["type"] == "websocket" else receive, send)

    async with serve_app(delay_disconnect) as origin:
        async with open_acknowledged_socket(replace(library, origin=origin)) as socket:
            for identifier in "ab":
                query = f"subscription {{ published(count: 2000) {{ {identifier}: title }} }}"
                await socket.subscribe(identifier, query)
            await wait_until(lambda: count_active_subscriptions(app) == 2)
            connection = socket.raw._response.connection
            assert connection is not None
            assert connection.transport is not None
            connection.transport.abort()
            await wait_until(lambda: count_active_subscriptions(app) == 0)
        may_disconnect.set()
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == []


def count_active_subscriptions(app: Application) -> float | None:
    return app.metrics.registry.get_sample_value("router_subscriptions_active")


async def test_the_query_may_be_empty_beside_the_hash_of_a_persisted_query(library: Library):
    async with open_acknowledged_socket(library) as socket:
        await socket.subscribe("1", "", extensions=build_persisted_query("unknown"))
        answer = await socket.receive()
    assert answer["payload"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_SUPPORTED"


def build_persisted_query(document_id: str) -> Any:
    return {"persistedQuery": {"version": 1, "sha256Hash": document_id}}
