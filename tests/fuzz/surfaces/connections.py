"""Attacks by connections: incomplete, slow, numerous, unread and reset ones."""

from __future__ import annotations

import asyncio

from tests.fuzz.attacks import ROUTER, SERVERS
from tests.fuzz.context import RESPONSE_TIMEOUT, AttackContext
from tests.fuzz.raw_client import (
    CLOSE_CONNECTION,
    Exchange,
    RawConnection,
    build_graphql_request,
    build_request,
)
from tests.fuzz.registry import attack

HALF_HEAD = b"POST /graphql HTTP/1.1\r\nhost: localhost\r\nx-wait"
HALF_BODY = build_request(
    headers=[("content-type", "application/json"), ("content-length", "99")], body=b'{"q'
)


async def open_many(context: AttackContext, count: int, data: bytes) -> None:
    """Open connections, send some data on each, and leave them idle."""

    async def open_one() -> None:
        try:
            connection = await RawConnection.open(context.port, context.address)
        except (OSError, TimeoutError):
            # Beyond the server's connection limit.
            return
        await connection.send(data)
        context.expect_close(connection)
        context.exchanges.append(Exchange(repr(data[:20]), "closed"))

    await context.run_concurrently(open_one() for _ in range(count))


@attack("connections.half-head", SERVERS, burst=True)
async def half_head(context: AttackContext) -> None:
    await open_many(context, 60, HALF_HEAD)


@attack("connections.half-body", SERVERS, burst=True)
async def half_body(context: AttackContext) -> None:
    await open_many(context, 60, HALF_BODY)


@attack("connections.silent", SERVERS, burst=True)
async def silent(context: AttackContext) -> None:
    await open_many(context, 60, b"")


@attack("connections.one-byte", SERVERS, burst=True)
async def one_byte(context: AttackContext) -> None:
    await open_many(context, 60, b"P")


@attack("connections.exhaustion", ROUTER, burst=True)
async def exhaustion(context: AttackContext) -> None:
    """More connections from one address than a process with default limits can have."""
    await open_many(context, 1_100, b"P")


@attack("connections.trickle", SERVERS, burst=True)
async def trickle(context: AttackContext) -> None:
    """A head that never ends, byte by byte, so that an idle timeout alone never fires."""

    async def trickle_bytes(connection: RawConnection) -> None:
        for _ in range(4000):
            if not await connection.send(b"x"):
                return
            await asyncio.sleep(0.1)

    connection = await RawConnection.open(context.port, context.address)
    await connection.send(HALF_HEAD)
    context.run_in_background(trickle_bytes(connection))
    context.expect_close(connection)


@attack("connections.health", SERVERS, burst=True)
async def health(context: AttackContext) -> None:
    """Three hundred concurrent health checks."""
    request = build_request("GET", "/health/ready", [CLOSE_CONNECTION])
    await context.run_concurrently(context.send(request) for _ in range(300))


@attack("connections.pipelined", SERVERS, burst=True, may_close=True)
async def pipelined(context: AttackContext) -> None:
    """Three hundred pipelined requests whose responses are read."""
    one = context.add_service_token(
        build_graphql_request("{ __typename }").replace(b"connection: close\r\n", b"")
    )
    async with context.connect() as connection:
        await connection.send(one * 300)
        answered = await connection.count_occurrences(b"HTTP/1.1 ", 300, RESPONSE_TIMEOUT)
    context.exchanges += [Exchange("one of 300 in one packet", "answered", 200)] * answered


@attack("connections.pipelined-and-aborted", SERVERS, burst=True, may_close=True)
async def pipelined_and_aborted(context: AttackContext) -> None:
    one = build_graphql_request("{ __schema { types { name fields { name type { name } } } } }").replace(
        b"connection: close\r\n", b""
    )
    for _ in range(5):
        async with context.connect() as connection:
            await connection.send(one * 60)
            connection.abort()
    context.exchanges += [Exchange("aborted without reading", "closed")] * 300


@attack("connections.unread-responses", SERVERS, burst=True, may_close=True)
async def unread_responses(context: AttackContext) -> None:
    """Large responses that are never read; send buffers must stay bounded."""
    one = build_graphql_request("{ __schema { types { name description fields { name description } } } }")
    one = one.replace(b"connection: close\r\n", b"")
    for _ in range(4):
        connection = await RawConnection.open(context.port, context.address)
        connection.stop_reading()
        await connection.send(one * 30)
        context.expect_close(connection)
    context.exchanges += [Exchange("not read", "closed")] * 120


@attack("connections.aborted-while-executing", SERVERS, burst=True, may_close=True)
async def aborted_while_executing(context: AttackContext) -> None:
    document = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }"
    for _ in range(10):
        async with context.connect() as connection:
            await connection.send(
                build_graphql_request(f"{document} # {context.generate_name()}", headers=[context.token])
            )
            connection.abort()
    context.exchanges += [Exchange("aborted at once", "closed")] * 10


@attack("connections.reset", SERVERS, burst=True, may_close=True)
async def reset(context: AttackContext) -> None:
    """Two hundred connections that are reset right after they are opened."""

    async def send_once() -> None:
        try:
            connection = await RawConnection.open(context.port, context.address)
        except (OSError, TimeoutError):
            return
        await connection.send(
            context.random.choice([b"", HALF_HEAD, HALF_BODY, build_request("GET", "/health/live")])
        )
        connection.abort()
        context.exchanges.append(Exchange("aborted at once", "closed"))

    await context.run_concurrently(send_once() for _ in range(200))
