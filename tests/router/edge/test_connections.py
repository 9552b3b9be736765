"""Connections that are many, or slow: others are served all the same."""

import asyncio
import re
import resource
import signal
from contextlib import AsyncExitStack, closing, suppress
from typing import cast

import pytest

from tests.router.edge.conversation import ANSWER, QUESTION, Edge, Socket, edge, get, post
from tests.router.library import until

MEBIBYTE = 2**20
LARGE = b'{"query": "{ ' + b" ".join(b"a%d: books { title }" % n for n in range(20)) + b' }"}'

NAMED = '[{"propagate": "x-name"}]'
CALLER = re.compile(rb"\r\nx-name: (\w+)", re.IGNORECASE)
LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


@pytest.fixture(autouse=True)
def many_files() -> None:
    """Lets the test itself open as many connections as it needs."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def test_a_client_with_very_many_connections_leaves_room_for_others():
    async with edge(files="1024", ROUTER_HEADER_TIMEOUT="2") as running, AsyncExitStack() as open_sockets:
        sockets = [await open_sockets.enter_async_context(await running.connect()) for _ in range(1100)]
        for socket in sockets:
            socket.writer.write(b"G")
        async with await running.connect("127.0.0.2") as other:
            await other.send(post())
            assert (await other.answer()).json == ANSWER
        # Half of 1024 files less a reserve: the others were told at once, these once their time is over.
        answers = await asyncio.gather(*(told(socket) for socket in sockets))
        assert (answers.count("408"), len(answers)) == (384, 1100)
        assert set(answers) <= {"408", "503", "reset"}
        await open_sockets.aclose()
        await until(lambda: not connections(running))
        assert (await running.say(post())).json == ANSWER


async def told(socket: Socket) -> str:
    """The status that a client is told, if it is."""
    try:
        return str((await socket.answer()).status)
    except (ConnectionError, asyncio.IncompleteReadError):
        return "reset"


async def test_a_trusted_proxy_may_have_the_connections_of_many():
    limits = {"ROUTER_MAX_CLIENT_CONNECTIONS": "2", "ROUTER_TRUSTED_PROXIES": "127.0.0.2"}
    async with edge(**limits) as running, AsyncExitStack() as sockets:
        for address, outcomes in (("127.0.0.1", [200, 200, 503]), ("127.0.0.2", [200, 200, 200])):
            for expected in outcomes:
                socket = await sockets.enter_async_context(await running.connect(address))
                if expected == 200:
                    await socket.send(get())
                assert (await socket.answer()).status == expected


async def test_who_comes_once_does_not_wait_for_all_that_another_sends_at_once():
    asked: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(LENGTH.findall(head)[0]))
                asked.append(CALLER.findall(head)[0].decode())
                body = b'{"data": {"average": 4.5}}'
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")
                writer.write(b"content-length: %d\r\n\r\n%s" % (len(body), body))

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/graphql"
    async with server, edge(REVIEWS_URL=url, ROUTER_HEADERS=NAMED) as running, AsyncExitStack() as sockets:
        assert (await running.say(post(QUESTION, b"x-name: first"))).json == ANSWER
        # It finds all of them there at once.
        running.process.send_signal(signal.SIGSTOP)
        everybody = []
        for number in range(400):
            socket = await sockets.enter_async_context(await running.connect())
            await socket.send(post(QUESTION, b"x-name: often%d" % number))
            everybody.append(socket)
        other = await sockets.enter_async_context(await running.connect("127.0.0.2"))
        await other.send(post(QUESTION, b"x-name: rarely"))
        running.process.send_signal(signal.SIGCONT)
        for socket in [*everybody, other]:
            assert (await socket.answer()).json == ANSWER
        assert len(asked) == 402
        # Of those who were there before, it may be served after a few, not after all.
        assert asked.index("rarely") < 200


async def test_connections_are_limited_in_total():
    async with edge(ROUTER_MAX_CONNECTIONS="4") as running, AsyncExitStack() as sockets:
        for number in range(4):
            socket = await sockets.enter_async_context(await running.connect(f"127.0.0.{number // 2 + 1}"))
            await socket.send(get())
            assert (await socket.answer()).status == 200
        async with await running.connect("127.0.0.9") as fifth:
            assert (await fifth.answer()).status == 503
        await sockets.aclose()
        await until(lambda: not connections(running))
        assert (await running.say(get())).status == 200


async def test_who_does_not_read_is_given_up():
    async with edge(ROUTER_SEND_TIMEOUT="1") as running:
        await fill(running)
        async with await ask_and_never_read(running):
            await until(lambda: len(connections(running)) == 1)
            await until(lambda: not connections(running))


async def test_what_all_have_not_read_is_bounded():
    async with edge(ROUTER_MAX_UNSENT_BYTES=str(20 * MEBIBYTE)) as running, AsyncExitStack() as sockets:
        await fill(running)
        for number in range(1, 5):
            await sockets.enter_async_context(await ask_and_never_read(running, f"127.0.0.{number}"))
        await until(lambda: len(connections(running)) == 1)


async def test_who_reads_slowly_gets_everything():
    async with edge() as running:
        await fill(running)
        async with await ask_and_never_read(running) as socket:
            cast("asyncio.Transport", socket.writer.transport).resume_reading()
            answer = await socket.answer()
            assert len(answer.json["data"]["a19"][0]["title"]) == 900_000


async def fill(running: Edge) -> None:
    """Gives the library a book of a very long title."""
    rename = b'mutation ($to: String!) { rename(id: \\"1\\", title: $to) { id } }'
    body = b'{"query": "%s", "variables": {"to": "%s"}}' % (rename, b"a" * 900_000)
    assert (await running.say(post(body))).json == {"data": {"rename": {"id": "1"}}}
    await until(lambda: not connections(running))


async def ask_and_never_read(running: Edge, address: str = "127.0.0.1") -> Socket:
    socket = await running.connect(address)
    cast("asyncio.Transport", socket.writer.transport).pause_reading()
    await socket.send(post(LARGE))
    return socket


def connections(running: Edge) -> list[int]:
    """The ports of the clients that the router is connected to."""
    found = running.usage.net_connections("tcp")
    return [each.raddr.port for each in found if each.raddr and each.laddr.port == running.port]
