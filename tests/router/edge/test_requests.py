"""Requests of every shape: each has the status that says what is wrong, and none is an error of ours."""

import pytest

from router.config.connections import Connections
from tests.router.edge.conversation import ANSWER, QUESTION, Edge, edge, get, post
from tests.support.router_process import lines

# What load balancers keep an idle connection for by default.
BALANCERS_SECONDS = 60
HEAD = b"POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"
HALF = HEAD + b"content-length: 99\r\n\r\n{"
UPGRADE = (b"connection: upgrade", b"upgrade: websocket", b"sec-websocket-version: 13")

REFUSED = {
    "a header without an end": (b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"a" * 200_000, 431),
    "a header that is too long": (get(b"/graphql", b"x: " + b"a" * 33_000), 431),
    "a header whose name is too long": (get(b"/graphql", b"a" * 33_000 + b": x"), 431),
    "too many headers": (get(b"/graphql", *[b"a: b"] * 101), 431),
    "a target that is too long": (get(b"/graphql?" + b"a" * 17_000), 414),
    "a target without an end": (b"GET /" + b"a" * 100_000, 414),
    "two lengths": (post(QUESTION, b"content-length: 5"), 400),
    "a length and chunks": (post(QUESTION, b"transfer-encoding: chunked"), 400),
    "a length that is no number": (get(b"/graphql", b"content-length: x"), 400),
    "a negative length": (get(b"/graphql", b"content-length: -1"), 400),
    "a length beyond all numbers": (get(b"/graphql", b"content-length: " + b"9" * 30), 400),
    "a chunk of no length": (CHUNKED + b"zz\r\n", 400),
    "a body that is too long": (post(b"a" * 1_048_577), 413),
    "a body that is said to be too long": (post(b"", b"x: y").replace(b"th: 0", b"th: 99999999999"), 413),
    "chunks that are too long": (CHUNKED + (b"10000\r\n" + b"a" * 65_536 + b"\r\n") * 17, 413),
    "no host": (b"GET /graphql HTTP/1.1\r\n\r\n", 400),
    "two hosts": (get(b"/graphql", b"host: b"), 400),
    "a method nobody knows": (b"NONSENSE /graphql HTTP/1.1\r\nhost: a\r\n\r\n", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 200, 400),
    "a tunnel": (b"CONNECT a:80 HTTP/1.1\r\nhost: a\r\n\r\n", 400),
    "half a head": (b"GET /graphql HTTP/1.1\r\nhos", 408),
    "half a body": (HALF, 408),
    "line ends and no request": (b"\r\n\r\n", 408),
    "a handshake without a key": (get(b"/graphql", *UPGRADE), 400),
    "a handshake that is too long": (get(b"/graphql", *UPGRADE, b"x: " + b"a" * 9000), 431),
    "a handshake at a wrong address": (get(b"/graph\xc3\xa9", *UPGRADE), 400),
}

ANSWERED = {
    "JSON that is not UTF-8": (post(b'{"query": "\xff"}'), 400),
    "a NUL": (post(b"\x00"), 400),
    "half a character": (post(b'{"query": "{ average }", "variables": {"a": "\\ud83d"}}'), 400),
    "variables that are nested too deeply": (post(b'{"query":"","variables":' + b'{"a":' * 900), 400),
    "an answer of no type we have": (post(QUESTION, b"accept: " + b"a/b," * 7000), 406),
    "a type with many parameters": (post(QUESTION).replace(b"/json", b"/json" + b";a=b" * 7000), 200),
    "HTTP/1.0": (b"GET /graphql?query={average} HTTP/1.0\r\n\r\n", 200),
    "an address as a whole": (get(b"http://a/graphql?query={average}"), 200),
    "another upgrade": (get(b"/graphql?query={average}", b"connection: upgrade", b"upgrade: h2c"), 200),
    "chunks": (CHUNKED + b"%x\r\n%s\r\n0\r\n\r\n" % (len(QUESTION), QUESTION), 200),
    "OPTIONS": (get().replace(b"GET", b"OPTIONS"), 405),
    "OPTIONS for all": (b"OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n", 404),
    "PATCH": (get().replace(b"GET", b"PATCH"), 405),
    "PUT": (get().replace(b"GET", b"PUT"), 201),
    "DELETE": (get().replace(b"GET", b"DELETE"), 404),
    "an address that is nobody's": (get(b"/%ff%00"), 404),
}


@pytest.mark.parametrize("shape", REFUSED)
async def test_what_is_no_request_is_refused_and_the_connection_ends(running_edge: Edge, shape: str):
    data, status = REFUSED[shape]
    async with await running_edge.connect() as socket:
        socket.writer.write(data)
        assert (await socket.answer()).status == status
        assert await socket.ended()


@pytest.mark.parametrize("shape", ANSWERED)
async def test_what_is_a_request_has_its_status(running_edge: Edge, shape: str):
    data, status = ANSWERED[shape]
    assert (await running_edge.say(data)).status == status


async def test_a_request_with_a_slash_behind_the_address_is_served(running_edge: Edge):
    answer = await running_edge.say(post(path=b"/graphql/"))
    assert (answer.status, answer.json) == (200, ANSWER)


async def test_a_body_is_asked_for_only_when_it_may_come(running_edge: Edge):
    async with await running_edge.connect() as socket:
        head, _, body = post(QUESTION, b"expect: 100-continue").partition(b"\r\n\r\n")
        await socket.send(head + b"\r\n\r\n")
        assert await socket.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        await socket.send(body)
        assert (await socket.answer()).json == ANSWER


async def test_requests_in_a_row_are_answered_in_a_row_until_one_is_none(running_edge: Edge):
    async with await running_edge.connect() as socket:
        await socket.send(get() + post() + b"nonsense\r\n\r\n")
        assert (await socket.answer()).json == ANSWER
        assert await socket.ended()


async def test_a_connection_that_says_nothing_ends(running_edge: Edge):
    async with await running_edge.connect() as socket:
        assert await socket.ended()


async def test_an_idle_connection_is_kept_as_long_as_is_set_and_longer_than_balancers_keep_it():
    async with edge(ROUTER_KEEP_ALIVE_TIMEOUT="1") as running, await running.connect() as socket:
        for _ in range(2):
            await socket.send(post())
            assert (await socket.answer()).headers.get("connection") != "close"
        assert await socket.ended()
    assert Connections.model_fields["keep_alive_timeout"].default > BALANCERS_SECONDS


async def test_nothing_of_it_is_logged_as_an_error():
    async with edge() as running:
        for data, _ in REFUSED.values():
            async with await running.connect() as socket:
                await socket.send(data[:5000])
        for data, _ in ANSWERED.values():
            await running.say(data)
        for data in (HALF, get() * 60):
            async with await running.connect() as gone:
                await gone.send(data)
        running.process.terminate()
        levels = [line["level"] async for line in lines(running.process)]
        assert set(levels) == {"info"}
        assert running.process.stderr is not None
        assert await running.process.stderr.read() == b""


async def test_a_long_header_costs_no_time(running_edge: Edge):
    before = sum(running_edge.usage.cpu_times()[:2])
    for number in range(40):
        await running_edge.say(post(QUESTION, b"accept: " + b"a/b%d," % number * 4000))
    assert sum(running_edge.usage.cpu_times()[:2]) - before < 40 * 0.02
