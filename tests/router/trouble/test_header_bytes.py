"""Propagated headers keep their bytes, their order and their number."""

import asyncio

from router.config.traffic import PropagateHeader
from tests.router.trouble.single import build_data_response, run_single

REQUEST = b'{"query":"{ s }"}'


async def send_post(origin: str, *lines: bytes) -> None:
    """Sends a POST with exactly these header lines."""
    host, _, port = origin.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = [b"POST /graphql HTTP/1.1", b"host: x", b"content-type: application/json", b"connection: close"]
    length = b"content-length: %d" % len(REQUEST)
    writer.write(b"\r\n".join([*head, length, *lines, b"", REQUEST]))
    assert (await reader.read()).startswith(b"HTTP/1.1 200")
    writer.close()


async def test_propagated_headers_arrive_byte_for_byte():
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
    async with run_single(build_data_response(s="x"), headers=rules) as running:
        await send_post(running.origin, *sent)
    lines = running.heads[0].split(b"\r\n")
    assert [
        line for line in lines if line.partition(b":")[0] in {each.partition(b":")[0] for each in sent}
    ] == [
        sent[6],
        sent[7],
        *sent[:6],
    ]


async def test_tracestate_is_propagated_without_an_exporter():
    trace = b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with run_single(build_data_response(s="x")) as running:
        await send_post(running.origin, trace, b"tracestate: a=1", b"tracestate: b=2")
        await send_post(running.origin, b"tracestate: a=1")
        await send_post(running.origin, trace, b"tracestate: a=" + b"x" * 600)
    states = [
        [line for line in head.split(b"\r\n") if line.startswith(b"tracestate")] for head in running.heads
    ]
    assert states == [[b"tracestate: a=1,b=2"], [], []]


async def test_the_credentials_of_a_subgraph_url_replace_the_authorization_of_the_caller():
    async with run_single(build_data_response(s="x"), user="router:p%40ss") as running:
        await running.execute("{ s }", authorization="Bearer mine")
    [line] = [each for each in running.heads[0].split(b"\r\n") if each.startswith(b"authorization")]
    assert line == b"authorization: Basic cm91dGVyOnBAc3M="
    assert b"p%40ss" not in running.heads[0]
