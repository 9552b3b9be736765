"""Attacks on WebSocket: handshakes, frames, protocol violations, floods and unread connections."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import orjson

from tests.fuzz.attacks import ROUTER, SERVERS
from tests.fuzz.context import RESPONSE_TIMEOUT, AttackContext
from tests.fuzz.raw_client import Exchange, RawConnection, build_frame, build_request
from tests.fuzz.registry import attack

MEGABYTE = 1 << 20
PROTOCOL = "graphql-transport-ws"
KEY = base64.b64encode(b"0123456789abcdef").decode()
INIT = {"type": "connection_init"}


def build_handshake(
    *headers: tuple[str, str | bytes], protocol: str = PROTOCOL, version: str = "13"
) -> bytes:
    own = [("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-key", KEY)]
    rest = [("sec-websocket-version", version), ("sec-websocket-protocol", protocol)]
    return build_request("GET", headers=[*own, *rest, *headers])


def build_message(value: Any) -> bytes:
    return build_frame(value if isinstance(value, bytes) else orjson.dumps(value))


def build_subscribe(identifier: str, document: str, variables: Any = None) -> dict[str, Any]:
    payload = {"query": document, "variables": variables}
    return {"id": identifier, "type": "subscribe", "payload": payload}


@asynccontextmanager
async def open_socket(context: AttackContext, *, initialised: bool = True) -> AsyncIterator[RawConnection]:
    """Open a WebSocket, initialised by default."""
    async with context.connect() as connection:
        await connection.send(context.add_service_token(build_handshake(context.token)))
        exchange = await connection.read_response("a handshake", RESPONSE_TIMEOUT)
        context.exchanges.append(exchange)
        if initialised:
            await connection.send(build_message(INIT | {"payload": {"authorization": context.token[1]}}))
            if await connection.count_occurrences(b"connection_ack", 1, RESPONSE_TIMEOUT) == 0:
                exchange.outcome = "silent"
        yield connection


async def send_until_closed(
    context: AttackContext, frames: Iterable[bytes], *, initialised: bool = True
) -> None:
    """Send frames, the last of which violates the protocol, and expect the server to close the connection."""
    async with open_socket(context, initialised=initialised) as connection:
        for each in frames:
            if not await connection.send(each):
                break
        if not await connection.receives_close(RESPONSE_TIMEOUT):
            context.exchanges.append(
                Exchange("a connection stayed open after a protocol violation", "silent")
            )


@attack("websockets.handshakes", SERVERS, may_close=True)
async def handshakes(context: AttackContext) -> None:
    for data in (
        build_handshake(protocol="graphql-ws"),
        build_handshake(protocol="x, " * 2_000),
        build_handshake(protocol="\x00"),
        build_handshake(version="99"),
        build_handshake(version=""),
        build_handshake(("sec-websocket-extensions", "permessage-deflate; client_max_window_bits=8, " * 150)),
        build_handshake(("sec-websocket-extensions", "permessage-deflate; server_max_window_bits=999999")),
        build_handshake(("origin", "https://elsewhere.example")),
        build_handshake(("authorization", "Bearer x.y.z")),
        build_request("GET", headers=[("connection", "Upgrade"), ("upgrade", "websocket")]),
        build_request(
            "POST", headers=[("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-key", KEY)]
        ),
        build_handshake().replace(KEY.encode(), b"short"),
        build_handshake().replace(KEY.encode(), b"=" * 5_000),
        build_handshake().replace(b"/graphql", b"/elsewhere"),
        build_handshake() + b"\xff" * 1_000,
    ):
        await context.send(data, within=10)


INVALID_FRAMES = (
    build_frame(b"{}", 3),
    build_frame(b"{}", 11),
    build_frame(b"{}", flags=0x40),
    build_frame(b"{}", masked=False),
    build_frame(b"more", 0),
    build_frame(b"a" * 200, 9),
    build_frame(b"", 9, final=False),
    build_frame(b"\xff\xfe\xfd"),
    build_frame(b"\x00", 8),
    build_frame(b"\x03\xe8" + b"\xff" * 20, 8),
    build_frame(b"\x00\x01", 8),
    b"\x81\xff" + b"\xff" * 8,
    b"\x81\xff\x00\x00\x00\x7f\xff\xff\xff\xff\x00\x00\x00\x00",
    build_frame(b"a", final=False) + build_frame(b"b"),
)


@attack("websockets.frames", ROUTER)
async def frames(context: AttackContext) -> None:
    """Invalid WebSocket frames."""
    for each in INVALID_FRAMES:
        await send_until_closed(context, [each], initialised=context.random.random() < 0.5)


@attack("websockets.messages", ROUTER)
async def messages(context: AttackContext) -> None:
    """Invalid graphql-transport-ws messages."""
    for value in (
        b"not json",
        b"",
        b"null",
        b"7",
        b"[]",
        b"[" * 100_000,
        b'{"type":' * 5_000,
        {"type": "unknown"},
        {"type": 7},
        {"type": None},
        {},
        INIT,
        INIT | {"payload": 7},
        {"type": "subscribe"},
        {"type": "subscribe", "id": 7, "payload": {"query": "{a}"}},
        {"type": "subscribe", "id": "", "payload": {"query": "{a}"}},
        {"type": "subscribe", "id": "1"},
        {"type": "subscribe", "id": "1", "payload": []},
        {"type": "subscribe", "id": "1", "payload": {"query": 7}},
        {"type": "subscribe", "id": "1", "payload": {"query": None}},
        {"type": "complete"},
        {"type": "complete", "id": 7},
        {"type": "next", "id": "1", "payload": {}},
        {"type": "ping", "payload": 7},
        {"type": "pong", "payload": "x"},
    ):
        await send_until_closed(context, [build_message(value), build_message(b"the end")])


@attack("websockets.before-init", ROUTER)
async def before_init(context: AttackContext) -> None:
    for value in (build_subscribe("1", "{ __typename }"), {"type": "complete", "id": "1"}, {"type": "ping"}):
        await send_until_closed(context, [build_message(value), build_message(b"the end")], initialised=False)
    for payload in ({"authorization": "Bearer x"}, {"Authorization": "é" * 5_000}, {"authorization": ["a"]}):
        await send_until_closed(
            context,
            [build_message(INIT | {"payload": payload}), build_message(b"the end")],
            initialised=False,
        )


@attack("websockets.never-initialised", ROUTER, burst=True)
async def never_initialised(context: AttackContext) -> None:
    """Connections that are silent or only ping; the server must close them in time."""
    for n in range(40):
        connection = await RawConnection.open(context.port, context.address)
        await connection.send(build_handshake() + (b"" if n % 2 else build_message({"type": "ping"})))
        context.expect_close(connection)
    context.exchanges += [Exchange("a silent socket", "closed")] * 40


@attack("websockets.huge-messages", ROUTER)
async def huge_messages(context: AttackContext) -> None:
    query = '{"id":"1","type":"subscribe","payload":{"query":"{ __typename }' + " " * (900_000) + '"}}'
    await send_until_closed(context, [build_message(query.encode()), build_message(b"the end")])
    await send_until_closed(
        context, [build_message(b'{"type":"ping","payload":{"a":"' + b"x" * (40 * MEGABYTE) + b'"}}')]
    )
    await send_until_closed(
        context,
        [
            build_message(b'{"type":"ping","payload":' + b'{"a":' * 800 + b"1" + b"}" * 801),
            build_message(b""),
        ],
    )
    deep = b'{"id":"1","type":"subscribe","payload":{"query":"{__typename}","variables":{"a":'
    for depth in (200, 260, 1_000):
        await send_until_closed(
            context, [build_message(deep + b"[" * depth + b"]" * depth + b"}}}"), build_message(b"the end")]
        )


@attack("websockets.fragments", ROUTER)
async def fragments(context: AttackContext) -> None:
    """A message in one-byte fragments, and one that never ends."""
    text = orjson.dumps(INIT | {"payload": {"x": "y" * 20_000}})
    pieces = [
        build_frame(text[:1], 1, final=False),
        *(build_frame(text[n : n + 1], 0, final=False) for n in range(1, len(text))),
    ]
    await send_until_closed(
        context, [b"".join(pieces) + build_frame(b"", 0), build_message(b"the end")], initialised=False
    )
    empty = build_frame(b"{", 1, final=False) + build_frame(b"", 0, final=False) * 100_000
    await send_until_closed(context, [empty, build_message(b"the end")])
    endless = build_frame(b"{", 1, final=False) + build_frame(b"x" * MEGABYTE, 0, final=False) * 30
    await send_until_closed(context, [endless])


@attack("websockets.ping-flood", ROUTER, burst=True)
async def ping_flood(context: AttackContext) -> None:
    """Thousands of pings and other messages."""
    async with open_socket(context) as connection:
        await connection.send(build_frame(b"x" * 100, 9) * 10_000)
        await connection.send(build_message({"type": "ping", "payload": {"a": "x" * 100}}) * 5_000)
        await connection.send(build_message({"type": "pong"}) * 5_000)
        await connection.send(build_message({"type": "complete", "id": "1"}) * 5_000)
        await connection.send(build_message(b"the end"))
        if not await connection.receives_close(RESPONSE_TIMEOUT):
            context.exchanges.append(Exchange("a flood of pings", "silent"))
    context.exchanges += [Exchange("a ping", "closed")] * 25_000


@attack("websockets.subscribe-flood", ROUTER, burst=True)
async def subscribe_flood(context: AttackContext) -> None:
    """A thousand concurrent operations over one connection."""
    async with open_socket(context) as connection:
        for n in range(1_000):
            await connection.send(
                build_message(build_subscribe(str(n), f"{{ {context.generate_name()}: __typename }}"))
            )
        await connection.send(build_message(b"the end"))
        if not await connection.receives_close(RESPONSE_TIMEOUT):
            context.exchanges.append(Exchange("a flood of operations", "silent"))
    context.exchanges += [Exchange("an operation", "closed")] * 1_000


@attack("websockets.same-operation", ROUTER)
async def same_operation(context: AttackContext) -> None:
    slow = build_subscribe("same", "{ __schema { types { fields { type { fields { name } } } } } }")
    await send_until_closed(context, [build_message(slow) * 2, build_message(b"the end")])
    complete = build_message({"type": "complete", "id": "same"})
    await send_until_closed(context, [(build_message(slow) + complete) * 50, build_message(b"the end")])


@attack("websockets.operations", ROUTER)
async def operations(context: AttackContext) -> None:
    """Subscriptions with invalid ids and cursors."""
    order = "subscription ($id: ID!, $after: Int!) { order(id: $id, after: $after) { sequence } }"
    generation = order.replace("order(", "generation(")
    async with open_socket(context) as connection:
        count = 0
        for document in (order, generation):
            for id in (
                "",
                "\x00",
                "x" * 200_000,
                "ord_01k00000000000000000000000",
                "\x1b[31m",
                "\u202e",
                7,
                None,
            ):
                for after in (0, -1, 2**31 - 1, 2**31, "0", None):
                    count += 1
                    await connection.send(
                        build_message(build_subscribe(str(count), document, {"id": id, "after": after}))
                    )
                    ended = await connection.count_occurrences(
                        f'"id":"{count}"'.encode(), 1, RESPONSE_TIMEOUT
                    )
                    context.exchanges.append(
                        Exchange(f"{document[:60]} {id!r:.60} {after!r}", "answered" if ended else "silent")
                    )
                    if not ended:
                        return


@attack("websockets.never-read", ROUTER, burst=True)
async def never_read(context: AttackContext) -> None:
    """Large responses that are never read."""
    large = (
        "{ __schema { types { name description fields { name description args { name description } } } } }"
    )
    for _ in range(3):
        connection = await RawConnection.open(context.port, context.address)
        await connection.send(build_handshake())
        await connection.read_response("a handshake", RESPONSE_TIMEOUT)
        connection.stop_reading()
        await connection.send(build_message(INIT))
        for n in range(400):
            await connection.send(build_message(build_subscribe(str(n), large)))
        context.leave_open(connection)
    context.exchanges += [Exchange("an answer that is not read", "closed")] * 1_200


@attack("websockets.abrupt", ROUTER, burst=True)
async def abrupt(context: AttackContext) -> None:
    """Connections that are reset in the middle of a frame."""

    async def send_once() -> None:
        async with open_socket(context) as connection:
            await connection.send(
                build_message(build_subscribe("1", "{ __schema { types { fields { name } } } }"))
            )
            await connection.send(
                context.random.choice([b"\x81", b"\x81\xfe\x00", build_frame(b"{", 1, final=False), b""])
            )
            connection.abort()

    await context.run_concurrently((send_once() for _ in range(60)), limit=20)
