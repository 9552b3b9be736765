"""Server-Sent Events and multipart: both modes, reservations that are never opened, and nobody who reads."""

from __future__ import annotations

from typing import Any

import orjson

from tests.fuzz.arena import ANSWERED_WITHIN, Arena
from tests.fuzz.attacks import ROUTER, SERVERS, attack
from tests.fuzz.wire import Exchange, Headers, Wire, request

EVENTS = ("accept", "text/event-stream")
PARTS = ("accept", 'multipart/mixed; subscriptionSpec="1.0", application/json')
JSON = ("content-type", "application/json")
LAST = ("connection", "close")
TOKEN = "x-graphql-event-stream-token"
ORDER = "subscription ($id: ID!, $after: Int!) { order(id: $id, after: $after) { sequence } }"


def operation(document: str, variables: Any = None, identifier: Any = None) -> bytes:
    body = {"query": document, "variables": variables}
    return orjson.dumps(body if identifier is None else body | {"extensions": {"operationId": identifier}})


async def reserve(arena: Arena, address: str = "", token: str | None = None) -> str:
    """The token of a new stream, reserved from the attacker's address or another."""
    headers = [LAST] if token is None else [LAST, ("authorization", f"Bearer {token}")]
    wire = await Wire.open(arena.port, address or arena.address)
    try:
        await wire.send(request("PUT", headers=headers))
        exchange = await wire.answer("a reservation", ANSWERED_WITHIN)
    finally:
        await wire.close()
    arena.exchanges.append(exchange)
    return exchange.body.decode("latin-1")


@attack("event-streams.others-reservations", ROUTER, burst=True)
async def others_reservations(arena: Arena) -> None:
    """More reservations of nobody than there may be, between another's reservation and its opening."""
    other = arena.other
    kept = await reserve(arena, other.address, other.token)
    await arena.together(reserve(arena) for _ in range(1_001))
    wire = await Wire.open(arena.port, other.address)
    try:
        head = [EVENTS, ("authorization", f"Bearer {other.token}")]
        await wire.send(request("GET", f"/graphql?token={kept}", head))
        opened = await wire.count(b"200 OK", 1, 5)
    finally:
        await wire.close()
    if not opened:
        arena.complain("1,001 reservations of others pushed out one that waited to be opened")


@attack("event-streams.tokens", ROUTER)
async def tokens(arena: Arena) -> None:
    for token in ("", "x", "x" * 6_000, "%00", "é", "..", "null", "a&token=b", "%ff"):
        for method in ("GET", "POST", "DELETE"):
            body = operation("{ __typename }", None, "1") if method == "POST" else None
            path = f"/graphql?token={token}&operationId=1"
            await arena.send(request(method, path.encode().decode("latin-1"), [EVENTS, JSON, LAST], body))
            head: Headers = [(TOKEN, token.encode()), EVENTS, JSON, LAST]
            await arena.send(request(method, "/graphql", head, body))


@attack("event-streams.operations", ROUTER)
async def operations(arena: Arena) -> None:
    """On one reserved stream, opened and read: ids of all kinds, the same again, more than may be."""
    token = await reserve(arena, token=arena.parent.token)
    async with arena.wire() as stream:
        await stream.send(request("GET", f"/graphql?token={token}", [EVENTS]))
        await stream.count(b"200 OK", 1, ANSWERED_WITHIN)
        own = [(TOKEN, token), JSON, LAST, arena.token]
        identifier: Any
        for identifier in ("a", "a", "", 7, [], {"a": 1}, "x" * 500_000, "\x00", "\u202e", "a\n\ndata: b"):
            await arena.send(request(headers=own, body=operation("{ __typename }", None, identifier)))
        for document in ("{", "{ nothing }", ORDER, "{ me { id } }", "", "mutation { signOut { a } }"):
            await arena.send(request(headers=own, body=operation(document, None, arena.salt())))
        await arena.together(
            (
                arena.send(
                    request(headers=own, body=operation(ORDER, {"id": f"ord_{n:026}", "after": 0}, str(n)))
                )
                for n in range(60)
            ),
            at_once=10,
        )
        for identifier in ("0", "unknown", "x" * 3_000, "%00"):
            await arena.send(request("DELETE", f"/graphql?operationId={identifier}", own))


@attack("event-streams.refused", SERVERS)
async def refused(arena: Arena) -> None:
    """What cannot be had, asked for as a stream."""
    for accept in (
        EVENTS,
        PARTS,
        ("accept", "multipart/mixed;" + "a=b;" * 1_500),
        ("accept", "text/event-stream;q=0"),
    ):
        for document in ("{", "{ nothing }", "{ __typename }", "subscription { nothing }", ORDER, ""):
            variables: Any
            for variables in (None, {"id": "x", "after": -1}, {"id": "\x00", "after": 0}, {"id": 7}, []):
                head = [accept, JSON, LAST, arena.token]
                await arena.send(request(headers=head, body=operation(document, variables)))


@attack("event-streams.last-event", ["router", "ai", "orders"])
async def last_event(arena: Arena) -> None:
    for value in ("9" * 5_000, "-1", "\x00", "é", "a\tb", ""):
        head: Headers = [EVENTS, JSON, LAST, arena.token, ("last-event-id", value.encode())]
        await arena.send(request(headers=head, body=operation(ORDER, {"id": "x", "after": 0})))


@attack("event-streams.never-read", SERVERS, burst=True)
async def never_read(arena: Arena) -> None:
    large = (
        "{ __schema { types { name description fields { name description args { name description } } } } }"
    )
    for _ in range(20):
        wire = await Wire.open(arena.port, arena.address)
        wire.stop_reading()
        await wire.send(request(headers=[EVENTS, JSON], body=operation(large)))
        arena.leave(wire)
    arena.exchanges += [Exchange("an answer that is not read", "closed")] * 20


@attack("event-streams.never-opened", ROUTER, burst=True)
async def never_opened(arena: Arena) -> None:
    """Operations on streams that nobody opens: they are given up with their reservation."""
    for _ in range(30):
        token = await reserve(arena)
        for n in range(20):
            head = [(TOKEN, token), JSON, LAST]
            await arena.send(request(headers=head, body=operation("{ __typename }", None, str(n))))


@attack("event-streams.abrupt", SERVERS, burst=True)
async def abrupt(arena: Arena) -> None:
    async def once() -> None:
        wire = await Wire.open(arena.port, arena.address)
        head = [arena.chance.choice([EVENTS, PARTS]), JSON, arena.token]
        await wire.send(request(headers=head, body=operation(ORDER, {"id": "x", "after": 0})))
        wire.abort()
        arena.exchanges.append(Exchange("left at once", "closed"))

    await arena.together(once() for _ in range(60))
