"""Malformed and unusual HTTP requests: each has its status, and none is logged as an error."""

import pytest

from router.config.connections import Connections
from tests.router.edge.raw_http import ANSWER, QUERY_BODY, Edge, build_get, build_post, run_edge
from tests.support.router_process import read_log

# How long common load balancers keep an idle connection by default.
LOAD_BALANCER_IDLE_SECONDS = 60
HEAD = b"POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"
HALF = HEAD + b"content-length: 99\r\n\r\n{"
UPGRADE = (b"connection: upgrade", b"upgrade: websocket", b"sec-websocket-version: 13")

REFUSED = {
    "a header without an end": (b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"a" * 200_000, 431),
    "a header that is too long": (build_get(b"/graphql", b"x: " + b"a" * 33_000), 431),
    "a header whose name is too long": (build_get(b"/graphql", b"a" * 33_000 + b": x"), 431),
    "too many headers": (build_get(b"/graphql", *[b"a: b"] * 101), 431),
    "a target that is too long": (build_get(b"/graphql?" + b"a" * 17_000), 414),
    "a target without an end": (b"GET /" + b"a" * 100_000, 414),
    "two lengths": (build_post(QUERY_BODY, b"content-length: 5"), 400),
    "a length and chunks": (build_post(QUERY_BODY, b"transfer-encoding: chunked"), 400),
    "a length that is no number": (build_get(b"/graphql", b"content-length: x"), 400),
    "a negative length": (build_get(b"/graphql", b"content-length: -1"), 400),
    "a length beyond all numbers": (build_get(b"/graphql", b"content-length: " + b"9" * 30), 400),
    "a chunk of no length": (CHUNKED + b"zz\r\n", 400),
    "a body that is too long": (build_post(b"a" * 1_048_577), 413),
    "a body that is declared too long": (
        build_post(b"", b"x: y").replace(b"th: 0", b"th: 99999999999"),
        413,
    ),
    "chunks that are too long": (CHUNKED + (b"10000\r\n" + b"a" * 65_536 + b"\r\n") * 17, 413),
    "no host": (b"GET /graphql HTTP/1.1\r\n\r\n", 400),
    "two hosts": (build_get(b"/graphql", b"host: b"), 400),
    "an unknown method": (b"NONSENSE /graphql HTTP/1.1\r\nhost: a\r\n\r\n", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 200, 400),
    "a tunnel": (b"CONNECT a:80 HTTP/1.1\r\nhost: a\r\n\r\n", 400),
    "half a head": (b"GET /graphql HTTP/1.1\r\nhos", 408),
    "half a body": (HALF, 408),
    "line ends and no request": (b"\r\n\r\n", 408),
    "a handshake without a key": (build_get(b"/graphql", *UPGRADE), 400),
    "a handshake that is too long": (build_get(b"/graphql", *UPGRADE, b"x: " + b"a" * 9000), 431),
    "a handshake at a wrong address": (build_get(b"/graph\xc3\xa9", *UPGRADE), 400),
}

ANSWERED = {
    "JSON that is not UTF-8": (build_post(b'{"query": "\xff"}'), 400),
    "a NUL": (build_post(b"\x00"), 400),
    "half a character": (build_post(b'{"query": "{ average }", "variables": {"a": "\\ud83d"}}'), 400),
    "variables that are nested too deeply": (build_post(b'{"query":"","variables":' + b'{"a":' * 900), 400),
    "an unsupported media type": (build_post(QUERY_BODY, b"accept: " + b"a/b," * 7000), 406),
    "a type with many parameters": (build_post(QUERY_BODY).replace(b"/json", b"/json" + b";a=b" * 7000), 200),
    "HTTP/1.0": (b"GET /graphql?query={average} HTTP/1.0\r\n\r\n", 200),
    "an address as a whole": (build_get(b"http://a/graphql?query={average}"), 200),
    "another upgrade": (build_get(b"/graphql?query={average}", b"connection: upgrade", b"upgrade: h2c"), 200),
    "chunks": (CHUNKED + b"%x\r\n%s\r\n0\r\n\r\n" % (len(QUERY_BODY), QUERY_BODY), 200),
    "OPTIONS": (build_get().replace(b"GET", b"OPTIONS"), 405),
    "OPTIONS for all": (b"OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n", 404),
    "PATCH": (build_get().replace(b"GET", b"PATCH"), 405),
    "PUT": (build_get().replace(b"GET", b"PUT"), 201),
    "DELETE": (build_get().replace(b"GET", b"DELETE"), 404),
    "an unknown path": (build_get(b"/%ff%00"), 404),
}


@pytest.mark.parametrize("shape", REFUSED)
async def test_a_malformed_request_is_refused_and_its_connection_closed(running_edge: Edge, shape: str):
    data, status = REFUSED[shape]
    async with await running_edge.connect() as socket:
        socket.writer.write(data)
        assert (await socket.read_answer()).status == status
        assert await socket.is_closed()


@pytest.mark.parametrize("shape", ANSWERED)
async def test_a_well_formed_request_is_answered_with_its_status(running_edge: Edge, shape: str):
    data, status = ANSWERED[shape]
    assert (await running_edge.request(data)).status == status


async def test_a_trailing_slash_is_accepted(running_edge: Edge):
    answer = await running_edge.request(build_post(path=b"/graphql/"))
    assert (answer.status, answer.json) == (200, ANSWER)


async def test_a_client_that_expects_100_continue_gets_it_before_its_body(running_edge: Edge):
    async with await running_edge.connect() as socket:
        head, _, body = build_post(QUERY_BODY, b"expect: 100-continue").partition(b"\r\n\r\n")
        await socket.send(head + b"\r\n\r\n")
        assert await socket.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        await socket.send(body)
        assert (await socket.read_answer()).json == ANSWER


async def test_a_malformed_pipelined_request_ends_the_connection(running_edge: Edge):
    async with await running_edge.connect() as socket:
        await socket.send(build_get() + build_post() + b"nonsense\r\n\r\n")
        assert (await socket.read_answer()).json == ANSWER
        assert await socket.is_closed()


async def test_a_silent_connection_is_closed(running_edge: Edge):
    async with await running_edge.connect() as socket:
        assert await socket.is_closed()


async def test_an_idle_connection_is_kept_for_the_setting_whose_default_outlasts_load_balancers():
    async with run_edge(ROUTER_KEEP_ALIVE_TIMEOUT="1") as running, await running.connect() as socket:
        for _ in range(2):
            await socket.send(build_post())
            assert (await socket.read_answer()).headers.get("connection") != "close"
        assert await socket.is_closed()
    assert Connections.model_fields["keep_alive_timeout"].default > LOAD_BALANCER_IDLE_SECONDS


async def test_malformed_requests_are_not_logged_as_errors():
    async with run_edge() as running:
        for data, _ in REFUSED.values():
            async with await running.connect() as socket:
                await socket.send(data[:5000])
        for data, _ in ANSWERED.values():
            await running.request(data)
        for data in (HALF, build_get() * 60):
            async with await running.connect() as gone:
                await gone.send(data)
        running.process.terminate()
        levels = [line["level"] async for line in read_log(running.process)]
        assert set(levels) == {"info"}
        assert running.process.stderr is not None
        assert await running.process.stderr.read() == b""


async def test_long_headers_cost_little_cpu_time(running_edge: Edge):
    before = sum(running_edge.process_info.cpu_times()[:2])
    for number in range(40):
        await running_edge.request(build_post(QUERY_BODY, b"accept: " + b"a/b%d," % number * 4000))
    assert sum(running_edge.process_info.cpu_times()[:2]) - before < 40 * 0.02
