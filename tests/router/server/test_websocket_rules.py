"""The rules of graphql-transport-ws, each held against a running router.

What the text asks of a client is no rule here.
"""

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
from tests.router.library import SUPERGRAPH, serving, until
from tests.router.running import Library
from tests.router.websocket_client import PUBLISHED, SILENCE, acknowledged, connected

Rule: TypeAlias = Callable[[Library], Awaitable[None]]
AVERAGE = {"data": {"average": 4.5}}


async def messages_of_operations_are_interleaved_and_have_their_ids(library: Library) -> None:
    async with acknowledged(library) as socket:
        await socket.subscribe("a", SILENCE)
        await socket.receive()
        await socket.subscribe("b", "{ average }")
        assert await socket.receive() == {"id": "b", "type": "next", "payload": AVERAGE}
        assert await socket.receive() == {"id": "b", "type": "complete"}


async def a_normal_closure_by_the_client_ends_all(library: Library) -> None:
    async with acknowledged(library) as socket:
        await socket.subscribe("1", SILENCE)
        await until(lambda: library.shelf.open_streams == 1)
        await socket.raw.close(code=1000)
    await until(lambda: library.shelf.open_streams == 0)


async def an_initialisation_is_acknowledged(library: Library) -> None:
    for payload in ({}, {"payload": None}, {"payload": {"any": "thing"}}):
        async with connected(library) as socket:
            await socket.send(type="connection_init", **payload)
            assert await socket.receive() == {"type": "connection_ack"}


async def a_second_initialisation_closes_with_4429(library: Library) -> None:
    async with connected(library) as socket:
        await socket.send(type="connection_init")
        await socket.send(type="connection_init")
        assert await socket.closing() == (4429, "Too many initialisation requests")


async def a_rejected_initialisation_closes_with_4403(library: Library) -> None:
    async with connected(library) as socket:
        await socket.send(type="connection_init", payload={"Authorization": "Bearer x"})
        assert (await socket.closing())[0] == 4403


async def a_ping_is_answered_at_any_time(library: Library) -> None:
    async with connected(library) as socket:
        for payload in ({}, {"payload": {"n": 1}}):
            await socket.send(type="ping", **payload)
            assert await socket.receive() == {"type": "pong", **payload}


async def an_unsolicited_pong_is_ignored(library: Library) -> None:
    async with acknowledged(library) as socket:
        await socket.send(type="pong")
        await socket.send(type="pong", payload={"n": 1})
        await socket.subscribe("1", "{ average }")
        assert (await socket.receive())["payload"] == AVERAGE


async def an_id_in_use_closes_with_4409(library: Library) -> None:
    async with acknowledged(library) as socket:
        await socket.subscribe("1", SILENCE)
        await socket.subscribe("1", "{ average }")
        assert await socket.closing() == (4409, "Subscriber for 1 already exists")


async def an_id_can_be_used_again(library: Library) -> None:
    async with acknowledged(library) as socket:
        for _ in range(2):
            await socket.subscribe("1", "{ average }")
            assert [(await socket.receive())["type"] for _ in range(2)] == ["next", "complete"]
        for _ in range(2):
            await socket.subscribe("1", SILENCE)
            assert (await socket.receive())["type"] == "next"
            await socket.send(type="complete", id="1")


async def a_subscription_before_the_acknowledgement_closes_with_4401(library: Library) -> None:
    async with connected(library) as socket:
        await socket.subscribe("1", "{ average }")
        assert await socket.closing() == (4401, "Unauthorized")


async def results_are_next_messages_and_then_comes_complete(library: Library) -> None:
    async with acknowledged(library) as socket:
        await socket.subscribe("1", PUBLISHED)
        told = [await socket.receive() for _ in range(3)]
    assert [each["type"] for each in told] == ["next", "next", "complete"]
    assert [each.keys() for each in told] == [{"id", "type", "payload"}] * 2 + [{"id", "type"}]


async def an_error_ends_the_operation_without_complete(library: Library) -> None:
    async with acknowledged(library) as socket:
        await socket.subscribe("1", "{ nothing }")
        refusal = await socket.receive()
        assert (refusal["id"], refusal["type"]) == ("1", "error")
        assert isinstance(refusal["payload"], list)
        await socket.send(type="ping")
        assert await socket.receive() == {"type": "pong"}


async def after_complete_of_the_client_nothing_is_sent(library: Library) -> None:
    async with acknowledged(library) as socket:
        await socket.subscribe("1", "{ average }")
        await socket.send(type="complete", id="1")
        await socket.send(type="ping")
        told = []
        while (message := await socket.receive())["type"] != "pong":
            told.append(message["type"])
        # The answer may have been on its way when the client sent that it wants none.
        assert told in ([], ["next", "complete"])
        await socket.send(type="ping")
        assert await socket.receive() == {"type": "pong"}


async def complete_of_an_unknown_operation_is_ignored(library: Library) -> None:
    async with acknowledged(library) as socket:
        await socket.send(type="complete", id="never")
        await socket.subscribe("1", "{ average }")
        assert (await socket.receive())["payload"] == AVERAGE


def invalid(text: str) -> Rule:
    async def closes_with_4400(library: Library) -> None:
        async with acknowledged(library) as socket:
            await socket.raw.send_str(text)
            code, reason = await socket.closing()
        assert (code, bool(reason)) == (4400, True)

    return closes_with_4400


async def another_subprotocol_closes_with_4406(library: Library) -> None:
    async with connected(library, "graphql-ws") as socket:
        assert (await socket.closing())[0] == 4406


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
    *(("Invalid message", f"4400: {text[:60]}", invalid(text)) for text in INVALID_MESSAGES),
]


@pytest.mark.parametrize(
    ("message", "clause", "rule"), RULES, ids=[f"{message}: {clause}" for message, clause, _ in RULES]
)
async def test_rule(library: Library, message: str, clause: str, rule: Rule):
    await rule(library)


async def test_a_client_that_does_not_initialise_in_time_is_closed_with_4408(
    library: Library, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(websocket, "INIT_TIMEOUT_SECONDS", 0.05)
    async with connected(library) as socket:
        await socket.send(type="ping")
        assert await socket.receive() == {"type": "pong"}
        assert await socket.closing() == (4408, "Connection initialisation timeout")


async def test_a_socket_ends_with_its_token_and_tells_no_operation_that_it_failed(library: Library):
    token = f"Bearer {library.identities.brief_token()}"
    async with acknowledged(library, {"authorization": token}) as socket:
        await socket.subscribe("1", SILENCE)
        assert (await socket.receive())["type"] == "next"
        message = await socket.raw.receive(timeout=10)
        assert (message.data, message.extra) == (4403, "Forbidden: The token has expired.")
    await until(lambda: library.shelf.open_streams == 0)


async def test_a_socket_over_which_nothing_runs_is_closed_and_one_with_an_operation_stays(
    library: Library, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(websocket, "IDLE_SECONDS", 0.1)
    async with acknowledged(library) as busy:
        await busy.subscribe("1", SILENCE)
        assert (await busy.receive())["type"] == "next"
        async with acknowledged(library) as idle:
            assert await idle.closing() == (1000, "Idle timeout")
        await busy.send(type="complete", id="1")
        assert await busy.closing() == (1000, "Idle timeout")


async def test_a_client_that_does_not_read_is_given_up(library: Library, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(websocket, "SEND_TIMEOUT_SECONDS", 0.05)
    library.shelf.titles["1"] = "Moon" * 250_000
    async with acknowledged(library) as socket:
        connection = socket.raw._response.connection
        assert connection is not None
        assert connection.transport is not None
        connection.transport.pause_reading()
        for identifier in range(30):
            await socket.subscribe(str(identifier), f"subscription {{ silence {{ a{identifier}: title }} }}")
        await until(lambda: library.shelf.open_streams > 0)
        await until(lambda: library.shelf.open_streams == 0)


async def test_operations_of_a_client_that_has_gone_end_without_an_error(
    library: Library, caplog: pytest.LogCaptureFixture
):
    app = create_app(load(supergraph=SUPERGRAPH, subgraph_urls=library.subgraph_urls))
    told = asyncio.Event()

    async def tell_late(scope: Scope, receive: Receive, send: Send) -> None:
        """An edge that is so busy that operations find the client gone before the socket is told."""

        async def receive_late() -> Message:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                await told.wait()
            return message

        await app(scope, receive_late if scope["type"] == "websocket" else receive, send)

    async with serving(tell_late) as origin:
        async with acknowledged(replace(library, origin=origin)) as socket:
            for identifier in "ab":
                query = f"subscription {{ published(count: 2000) {{ {identifier}: title }} }}"
                await socket.subscribe(identifier, query)
            await until(lambda: active_subscriptions(app) == 2)
            connection = socket.raw._response.connection
            assert connection is not None
            assert connection.transport is not None
            connection.transport.abort()
            await until(lambda: active_subscriptions(app) == 0)
        told.set()
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == []


def active_subscriptions(app: Application) -> float | None:
    return app.metrics.registry.get_sample_value("router_subscriptions_active")


async def test_a_document_that_is_named_may_be_sent_as_an_empty_text(library: Library):
    async with acknowledged(library) as socket:
        await socket.subscribe("1", "", extensions=persisted("unknown"))
        answer = await socket.receive()
    assert answer["payload"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_SUPPORTED"


def persisted(document_id: str) -> Any:
    return {"persistedQuery": {"version": 1, "sha256Hash": document_id}}
