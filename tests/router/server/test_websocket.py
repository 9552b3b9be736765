"""The graphql-transport-ws protocol at a running router."""

from typing import Any

import pytest

from router.config.traffic import Traffic
from tests.router.running_library import Library, run_library
from tests.router.websocket_client import PUBLISHED, SILENCE, open_acknowledged_socket, open_socket
from tests.support.waiting import wait_until


async def test_events_arrive_with_the_entities_of_other_subgraphs_joined(library: Library):
    async with open_acknowledged_socket(library) as socket:
        await socket.subscribe("1", PUBLISHED)
        assert [await socket.receive() for _ in range(3)] == [
            {
                "id": "1",
                "type": "next",
                "payload": {"data": {"published": {"title": "Moon", "stars": 4}}},
            },
            {"id": "1", "type": "next", "payload": {"data": {"published": {"title": "Sea", "stars": 5}}}},
            {"id": "1", "type": "complete"},
        ]


async def test_queries_and_mutations_are_answered_once_and_complete(library: Library):
    async with open_acknowledged_socket(library) as socket:
        query = (
            'mutation Rename($id: ID!) { rename(id: $id, title: "Sun") { title } } query Other { average }'
        )
        await socket.subscribe("m", query, operationName="Rename", variables={"id": "1"})
        assert await socket.receive() == {
            "id": "m",
            "type": "next",
            "payload": {"data": {"rename": {"title": "Sun"}}},
        }
        assert await socket.receive() == {"id": "m", "type": "complete"}
        assert library.books.titles["1"] == "Sun"


async def test_a_ping_is_answered_with_its_payload(library: Library):
    async with open_socket(library) as socket:
        await socket.send(type="ping", payload={"n": 1})
        assert await socket.receive() == {"type": "pong", "payload": {"n": 1}}
        await socket.send(type="ping")
        assert await socket.receive() == {"type": "pong"}
        await socket.send(type="pong")
        await socket.send(type="connection_init")
        assert await socket.receive() == {"type": "connection_ack"}


@pytest.mark.parametrize(
    ("query", "payload", "code"),
    [
        ("{", {}, "GRAPHQL_PARSE_FAILED"),
        ("", {}, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("{ average }", {"operationName": "Missing"}, "OPERATION_RESOLUTION_FAILURE"),
        ("query ($id: ID!) { book(id: $id) { id } }", {}, "BAD_USER_INPUT"),
        ("{ mine }", {}, "UNAUTHENTICATED"),
        ("subscription { private { id } }", {}, "UNAUTHENTICATED"),
    ],
)
async def test_an_invalid_operation_leaves_the_socket_open(
    library: Library, query: str, payload: dict[str, Any], code: str
):
    async with open_acknowledged_socket(library) as socket:
        await socket.subscribe("1", query, **payload)
        answer = await socket.receive()
        assert (answer["id"], answer["type"]) == ("1", "error")
        assert answer["payload"][0]["extensions"]["code"] == code
        await socket.subscribe("1", "{ average }")
        assert (await socket.receive())["payload"] == {"data": {"average": 4.5}}


async def test_a_binary_message_is_read_like_text(library: Library):
    async with open_socket(library) as socket:
        await socket.raw.send_bytes(b'{"type": "connection_init"}')
        assert await socket.receive() == {"type": "connection_ack"}


async def test_a_token_that_cannot_be_verified_now_closes_with_4500():
    async with (
        run_library(jwks_url="http://127.0.0.1:1/jwks.json") as library,
        open_socket(library) as socket,
    ):
        token = f"Bearer {library.identities.issue_token()}"
        await socket.send(type="connection_init", payload={"Authorization": token})
        assert await socket.wait_for_close() == (4500, "Tokens cannot be verified at the moment.")


@pytest.mark.parametrize("name", ["Authorization", "authorization"])
async def test_the_token_of_the_first_message_identifies_the_caller(library: Library, name: str):
    token = f"Bearer {library.identities.issue_token()}"
    async with open_acknowledged_socket(library, {name: token}) as socket:
        await socket.subscribe("1", "{ mine caller }")
        assert (await socket.receive())["payload"] == {"data": {"mine": "yours", "caller": token}}


async def test_the_token_of_the_handshake_identifies_the_caller(library: Library):
    token = f"Bearer {library.identities.issue_token()}"
    async with open_socket(library, authorization=token) as socket:
        await socket.send(type="connection_init")
        await socket.receive()
        await socket.subscribe("1", "subscription { private { id } }")
        assert (await socket.receive())["payload"] == {"data": {"private": {"id": "1"}}}


async def test_an_entry_of_the_initial_payload_reaches_subgraphs_as_a_header_if_a_rule_allows_it():
    rules = [{"propagate": "x-tenant", "initial_payload": True}, {"propagate": "x-user"}]
    traffic = Traffic.model_validate({"headers": rules})
    async with run_library(traffic=traffic) as library:
        payload = {"X-Tenant": "fox", "x-user": "admin"}
        async with open_acknowledged_socket(library, payload) as socket:
            await socket.subscribe("1", "{ books { title } }")
            assert (await socket.receive())["type"] == "next"
        [headers] = library.books.requests
    assert headers["x-tenant"] == "fox"
    assert "x-user" not in headers


async def test_completing_releases_the_upstream_and_frees_the_id(library: Library):
    async with open_acknowledged_socket(library) as socket:
        await socket.subscribe("1", SILENCE)
        await socket.receive()
        assert library.books.open_streams == 1
        await socket.send(type="complete", id="1")
        await wait_until(lambda: library.books.open_streams == 0)
        await socket.subscribe("1", "{ average }")
        assert (await socket.receive())["payload"] == {"data": {"average": 4.5}}


async def test_closing_releases_every_upstream(library: Library):
    async with open_acknowledged_socket(library) as socket:
        await socket.subscribe("1", SILENCE)
        await socket.subscribe("2", "subscription { silence { id } }")
        await wait_until(lambda: library.books.open_streams == 2)
    await wait_until(lambda: library.books.open_streams == 0)


async def test_a_cut_connection_releases_the_upstream(library: Library):
    async with open_acknowledged_socket(library) as socket:
        await socket.subscribe("1", SILENCE)
        await wait_until(lambda: library.books.open_streams == 1)
        connection = socket.raw._response.connection
        assert connection is not None
        assert connection.transport is not None
        connection.transport.abort()
        await wait_until(lambda: library.books.open_streams == 0)


async def test_an_event_that_fails_is_sent_with_its_error_and_ends_the_stream(library: Library):
    async with open_acknowledged_socket(library) as socket:
        await socket.subscribe("1", "subscription { interrupted { title } }")
        assert (await socket.receive())["payload"] == {"data": {"interrupted": {"title": "Moon"}}}
        failed = await socket.receive()
        assert failed["payload"]["data"] == {"interrupted": None}
        assert failed["payload"]["errors"][0]["message"] == "the press stopped"
        assert await socket.receive() == {"id": "1", "type": "complete"}


async def test_an_operation_over_the_limit_is_refused_and_the_others_run_on(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ROUTER_MAX_SOCKET_OPERATIONS", "2")
    async with run_library() as library, open_acknowledged_socket(library) as socket:
        for identifier in ("a", "b"):
            await socket.subscribe(identifier, SILENCE)
            assert (await socket.receive())["id"] == identifier
        await socket.subscribe("c", SILENCE)
        refusal = await socket.receive()
        assert (refusal["id"], refusal["type"]) == ("c", "error")
        assert refusal["payload"] == [
            {
                "message": "2 operations are already running on this socket.",
                "extensions": {"code": "TOO_MANY_OPERATIONS"},
            }
        ]
        assert library.books.open_streams == 2
        await socket.send(type="complete", id="a")
        await wait_until(lambda: library.books.open_streams == 1)
        await socket.subscribe("c", SILENCE)
        assert (await socket.receive())["type"] == "next"
