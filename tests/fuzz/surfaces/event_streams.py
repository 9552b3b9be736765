"""Attacks on Server-Sent Events and multipart: reservations, operations and unread streams."""

from __future__ import annotations

from typing import Any

import orjson

from tests.fuzz.attacks import ROUTER, SERVERS
from tests.fuzz.context import RESPONSE_TIMEOUT, AttackContext
from tests.fuzz.raw_client import CLOSE_CONNECTION, JSON, Exchange, Headers, RawConnection, build_request
from tests.fuzz.registry import attack

EVENTS = ("accept", "text/event-stream")
PARTS = ("accept", 'multipart/mixed; subscriptionSpec="1.0", application/json')
TOKEN = "x-graphql-event-stream-token"
ORDER = "subscription ($id: ID!, $after: Int!) { order(id: $id, after: $after) { sequence } }"


def build_body(document: str, variables: Any = None, identifier: Any = None) -> bytes:
    body = {"query": document, "variables": variables}
    return orjson.dumps(body if identifier is None else body | {"extensions": {"operationId": identifier}})


async def reserve(context: AttackContext, address: str = "", token: str | None = None) -> str:
    """Reserve a stream, from the attacker's address by default; return its token."""
    headers = (
        [CLOSE_CONNECTION] if token is None else [CLOSE_CONNECTION, ("authorization", f"Bearer {token}")]
    )
    connection = await RawConnection.open(context.port, address or context.address)
    try:
        await connection.send(build_request("PUT", headers=headers))
        exchange = await connection.read_response("a reservation", RESPONSE_TIMEOUT)
    finally:
        await connection.close()
    context.exchanges.append(exchange)
    return exchange.body.decode("latin-1")


@attack("event-streams.reservation-flood", ROUTER, burst=True)
async def reservation_flood(context: AttackContext) -> None:
    """Exceed the limit of reservations after another client has reserved a stream and before it opens it."""
    other = context.other
    kept = await reserve(context, other.address, other.token)
    await context.run_concurrently(reserve(context) for _ in range(1_001))
    connection = await RawConnection.open(context.port, other.address)
    try:
        head = [EVENTS, ("authorization", f"Bearer {other.token}")]
        await connection.send(build_request("GET", f"/graphql?token={kept}", head))
        opened = await connection.count_occurrences(b"200 OK", 1, 5)
    finally:
        await connection.close()
    if not opened:
        context.report("1,001 reservations evicted another client's reservation")


@attack("event-streams.tokens", ROUTER)
async def tokens(context: AttackContext) -> None:
    for token in ("", "x", "x" * 6_000, "%00", "é", "..", "null", "a&token=b", "%ff"):
        for method in ("GET", "POST", "DELETE"):
            body = build_body("{ __typename }", None, "1") if method == "POST" else None
            path = f"/graphql?token={token}&operationId=1"
            await context.send(
                build_request(method, path.encode().decode("latin-1"), [EVENTS, JSON, CLOSE_CONNECTION], body)
            )
            head: Headers = [(TOKEN, token.encode()), EVENTS, JSON, CLOSE_CONNECTION]
            await context.send(build_request(method, "/graphql", head, body))


@attack("event-streams.operations", ROUTER)
async def operations(context: AttackContext) -> None:
    """Operations on one open stream: invalid and duplicate ids, and more operations than allowed."""
    token = await reserve(context, token=context.parent.token)
    async with context.connect() as stream:
        await stream.send(build_request("GET", f"/graphql?token={token}", [EVENTS]))
        await stream.count_occurrences(b"200 OK", 1, RESPONSE_TIMEOUT)
        own = [(TOKEN, token), JSON, CLOSE_CONNECTION, context.token]
        identifier: Any
        for identifier in ("a", "a", "", 7, [], {"a": 1}, "x" * 500_000, "\x00", "\u202e", "a\n\ndata: b"):
            await context.send(
                build_request(headers=own, body=build_body("{ __typename }", None, identifier))
            )
        for document in ("{", "{ nothing }", ORDER, "{ me { id } }", "", "mutation { signOut { a } }"):
            await context.send(
                build_request(headers=own, body=build_body(document, None, context.generate_name()))
            )
        await context.run_concurrently(
            (
                context.send(
                    build_request(
                        headers=own, body=build_body(ORDER, {"id": f"ord_{n:026}", "after": 0}, str(n))
                    )
                )
                for n in range(60)
            ),
            limit=10,
        )
        for identifier in ("0", "unknown", "x" * 3_000, "%00"):
            await context.send(build_request("DELETE", f"/graphql?operationId={identifier}", own))


@attack("event-streams.rejected", SERVERS)
async def rejected(context: AttackContext) -> None:
    """Invalid operations requested as a stream."""
    for accept in (
        EVENTS,
        PARTS,
        ("accept", "multipart/mixed;" + "a=b;" * 1_500),
        ("accept", "text/event-stream;q=0"),
    ):
        for document in ("{", "{ nothing }", "{ __typename }", "subscription { nothing }", ORDER, ""):
            variables: Any
            for variables in (None, {"id": "x", "after": -1}, {"id": "\x00", "after": 0}, {"id": 7}, []):
                head = [accept, JSON, CLOSE_CONNECTION, context.token]
                await context.send(build_request(headers=head, body=build_body(document, variables)))


@attack("event-streams.last-event", ["router", "ai", "orders"])
async def last_event(context: AttackContext) -> None:
    for value in ("9" * 5_000, "-1", "\x00", "é", "a\tb", ""):
        head: Headers = [EVENTS, JSON, CLOSE_CONNECTION, context.token, ("last-event-id", value.encode())]
        await context.send(build_request(headers=head, body=build_body(ORDER, {"id": "x", "after": 0})))


@attack("event-streams.never-read", SERVERS, burst=True)
async def never_read(context: AttackContext) -> None:
    large = (
        "{ __schema { types { name description fields { name description args { name description } } } } }"
    )
    for _ in range(20):
        connection = await RawConnection.open(context.port, context.address)
        connection.stop_reading()
        await connection.send(build_request(headers=[EVENTS, JSON], body=build_body(large)))
        context.leave_open(connection)
    context.exchanges += [Exchange("an answer that is not read", "closed")] * 20


@attack("event-streams.never-opened", ROUTER, burst=True)
async def never_opened(context: AttackContext) -> None:
    """Operations on reserved streams that are never opened; they expire with the reservation."""
    for _ in range(30):
        token = await reserve(context)
        for n in range(20):
            head = [(TOKEN, token), JSON, CLOSE_CONNECTION]
            await context.send(build_request(headers=head, body=build_body("{ __typename }", None, str(n))))


@attack("event-streams.abrupt", SERVERS, burst=True)
async def abrupt(context: AttackContext) -> None:
    async def send_once() -> None:
        connection = await RawConnection.open(context.port, context.address)
        head = [context.random.choice([EVENTS, PARTS]), JSON, context.token]
        await connection.send(build_request(headers=head, body=build_body(ORDER, {"id": "x", "after": 0})))
        connection.abort()
        context.exchanges.append(Exchange("aborted at once", "closed"))

    await context.run_concurrently(send_once() for _ in range(60))
