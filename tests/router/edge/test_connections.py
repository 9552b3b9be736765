"""Many or slow connections do not keep others from being served."""

import asyncio
import re
import resource
import signal
from contextlib import AsyncExitStack, closing, suppress
from pathlib import Path
from typing import cast

import pytest

from tests.router.edge.raw_http import ANSWER, QUERY_BODY, Edge, Socket, build_get, build_post, run_edge
from tests.support.waiting import wait_until

MEBIBYTE = 2**20
LARGE = b'{"query": "{ ' + b" ".join(b"a%d: books { title }" % n for n in range(20)) + b' }"}'

PROPAGATE_NAME = "router_headers: [{propagate: x-name}]"
NAME = re.compile(rb"\r\nx-name: (\w+)", re.IGNORECASE)
CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


@pytest.fixture(autouse=True)
def raise_file_limit() -> None:
    """Lets the test process open as many connections as it needs."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def test_a_client_with_very_many_connections_leaves_room_for_others():
    async with run_edge(files="1024", ROUTER_HEADER_TIMEOUT="2") as running, AsyncExitStack() as open_sockets:
        sockets = [await open_sockets.enter_async_context(await running.connect()) for _ in range(1100)]
        for socket in sockets:
            socket.writer.write(b"G")
        async with await running.connect("127.0.0.2") as other:
            await other.send(build_post())
            assert (await other.read_answer()).json == ANSWER
        # 384 is half of 1024 files less a reserve; the connections above it were refused at once.
        answers = await asyncio.gather(*(read_status(socket) for socket in sockets))
        assert (answers.count("408"), len(answers)) == (384, 1100)
        assert set(answers) <= {"408", "503", "reset"}
        await open_sockets.aclose()
        await wait_until(lambda: not list_connections(running))
        assert (await running.request(build_post())).json == ANSWER


async def read_status(socket: Socket) -> str:
    """Reads the status of the answer, or `reset` if the connection ends without one."""
    try:
        return str((await socket.read_answer()).status)
    except (ConnectionError, asyncio.IncompleteReadError):
        return "reset"


async def test_a_trusted_proxy_may_exceed_the_connections_of_one_client():
    limits = {"ROUTER_MAX_CLIENT_CONNECTIONS": "2", "ROUTER_TRUSTED_PROXIES": "127.0.0.2"}
    async with run_edge(**limits) as running, AsyncExitStack() as sockets:
        for address, outcomes in (("127.0.0.1", [200, 200, 503]), ("127.0.0.2", [200, 200, 200])):
            for expected in outcomes:
                socket = await sockets.enter_async_context(await running.connect(address))
                if expected == 200:
                    await socket.send(build_get())
                assert (await socket.read_answer()).status == expected


async def test_one_request_does_not_wait_for_the_whole_burst_of_another_client(tmp_path: Path):
    names: list[str] = []
    config = tmp_path / "router.yaml"
    config.write_text(PROPAGATE_NAME)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(CONTENT_LENGTH.findall(head)[0]))
                names.append(NAME.findall(head)[0].decode())
                body = b'{"data": {"average": 4.5}}'
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")
                writer.write(b"content-length: %d\r\n\r\n%s" % (len(body), body))

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/graphql"
    async with (
        server,
        run_edge(REVIEWS_URL=url, ROUTER_CONFIG=str(config)) as running,
        AsyncExitStack() as sockets,
    ):
        assert (await running.request(build_post(QUERY_BODY, b"x-name: first"))).json == ANSWER
        # The process is stopped meanwhile, so that it finds all requests at once.
        running.process.send_signal(signal.SIGSTOP)
        burst = []
        for number in range(400):
            socket = await sockets.enter_async_context(await running.connect())
            await socket.send(build_post(QUERY_BODY, b"x-name: often%d" % number))
            burst.append(socket)
        other = await sockets.enter_async_context(await running.connect("127.0.0.2"))
        await other.send(build_post(QUERY_BODY, b"x-name: rarely"))
        running.process.send_signal(signal.SIGCONT)
        for socket in [*burst, other]:
            assert (await socket.read_answer()).json == ANSWER
        assert len(names) == 402
        # It is served after some of the earlier requests, not after all.
        assert names.index("rarely") < 200


async def test_connections_are_limited_in_total():
    async with run_edge(ROUTER_MAX_CONNECTIONS="4") as running, AsyncExitStack() as sockets:
        for number in range(4):
            socket = await sockets.enter_async_context(await running.connect(f"127.0.0.{number // 2 + 1}"))
            await socket.send(build_get())
            assert (await socket.read_answer()).status == 200
        async with await running.connect("127.0.0.9") as fifth:
            assert (await fifth.read_answer()).status == 503
        await sockets.aclose()
        await wait_until(lambda: not list_connections(running))
        assert (await running.request(build_get())).status == 200


async def test_a_client_that_does_not_read_is_disconnected():
    async with run_edge(ROUTER_SEND_TIMEOUT="1") as running:
        await store_long_title(running)
        async with await send_and_never_read(running):
            await wait_until(lambda: len(list_connections(running)) == 1)
            await wait_until(lambda: not list_connections(running))


async def test_unsent_bytes_of_all_connections_are_bounded():
    async with run_edge(ROUTER_MAX_UNSENT_BYTES=str(20 * MEBIBYTE)) as running, AsyncExitStack() as sockets:
        await store_long_title(running)
        for number in range(1, 5):
            await sockets.enter_async_context(await send_and_never_read(running, f"127.0.0.{number}"))
        await wait_until(lambda: len(list_connections(running)) == 1)


async def test_a_slow_reader_receives_the_whole_answer():
    async with run_edge() as running:
        await store_long_title(running)
        async with await send_and_never_read(running) as socket:
            cast("asyncio.Transport", socket.writer.transport).resume_reading()
            answer = await socket.read_answer()
            assert len(answer.json["data"]["a19"][0]["title"]) == 900_000


async def store_long_title(running: Edge) -> None:
    """Gives a book of the library a very long title."""
    rename = b'mutation ($to: String!) { rename(id: \\"1\\", title: $to) { id } }'
    body = b'{"query": "%s", "variables": {"to": "%s"}}' % (rename, b"a" * 900_000)
    assert (await running.request(build_post(body))).json == {"data": {"rename": {"id": "1"}}}
    await wait_until(lambda: not list_connections(running))


async def send_and_never_read(running: Edge, address: str = "127.0.0.1") -> Socket:
    socket = await running.connect(address)
    cast("asyncio.Transport", socket.writer.transport).pause_reading()
    await socket.send(build_post(LARGE))
    return socket


def list_connections(running: Edge) -> list[int]:
    """Lists the ports of the clients that the router is connected to."""
    found = running.process_info.net_connections("tcp")
    return [each.raddr.port for each in found if each.raddr and each.laddr.port == running.port]
