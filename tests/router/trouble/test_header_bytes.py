"""Headers that are passed on: the bytes that came, as often as they came."""

import asyncio

from router.config.traffic import PropagateHeader
from tests.router.trouble.single import data, single

REQUEST = b'{"query":"{ s }"}'


async def post(origin: str, *lines: bytes) -> None:
    """Sends exactly these headers."""
    host, _, port = origin.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = [b"POST /graphql HTTP/1.1", b"host: x", b"content-type: application/json", b"connection: close"]
    length = b"content-length: %d" % len(REQUEST)
    writer.write(b"\r\n".join([*head, length, *lines, b"", REQUEST]))
    assert (await reader.read()).startswith(b"HTTP/1.1 200")
    writer.close()


async def test_they_arrive_as_they_came():
    rules = tuple(PropagateHeader(propagate=name) for name in ("x-user-name", "x-forwarded-for", "cookie"))
    sent = [
        "x-user-name: José".encode(),
        b"x-user-name: Jos\xe9",
        b"x-forwarded-for: 10.0.0.1",
        b"x-forwarded-for: 10.0.0.2",
        b"cookie: a=1",
        b"cookie: b=2",
        "authorization: Bearer Zoë".encode(),
        b"baggage: tenant=fox",
    ]
    async with single(data(s="x"), headers=rules) as running:
        await post(running.origin, *sent)
    lines = running.heads[0].split(b"\r\n")
    assert [
        line for line in lines if line.partition(b":")[0] in {each.partition(b":")[0] for each in sent}
    ] == [
        sent[6],
        sent[7],
        *sent[:6],
    ]


async def test_what_tracing_systems_say_is_passed_on_without_an_exporter():
    trace = b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with single(data(s="x")) as running:
        await post(running.origin, trace, b"tracestate: a=1", b"tracestate: b=2")
        await post(running.origin, b"tracestate: a=1")
        await post(running.origin, trace, b"tracestate: a=" + b"x" * 600)
    states = [
        [line for line in head.split(b"\r\n") if line.startswith(b"tracestate")] for head in running.heads
    ]
    assert states == [[b"tracestate: a=1,b=2"], [], []]


async def test_a_users_address_is_told_to_its_subgraph_alone_and_stands_for_the_caller():
    async with single(data(s="x"), user="router:p%40ss") as running:
        await running.ask("{ s }", authorization="Bearer mine")
    [line] = [each for each in running.heads[0].split(b"\r\n") if each.startswith(b"authorization")]
    assert line == b"authorization: Basic cm91dGVyOnBAc3M="
    assert b"p%40ss" not in running.heads[0]
