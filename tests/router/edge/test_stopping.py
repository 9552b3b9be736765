"""A router that is told to stop: what runs may end, nothing else begins, and it ends whatever hangs."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import pytest

from tests.router.edge.conversation import ANSWER, Edge, edge, get, post
from tests.router.library import until

SUBSCRIBE = get(b"/graphql?query=subscription{silence{title}}", b"accept: text/event-stream")
# The signal makes the event loop's thread compute for ever.
SPINNING = """
import signal, sys
from router.__main__ import main

def spin(*_):
    while True:
        pass

signal.signal(signal.SIGUSR1, spin)
sys.exit(main())
"""
# Planning never comes to an end, whatever deadline it is given.
HANGING = """
import sys
from router.__main__ import main
from router.planner import Planner

def hang(*_):
    while True:
        pass

assert callable(Planner.start)
Planner.start = hang
sys.exit(main())
"""
# More than the buffers of a connection hold, asked for in few bytes.
LARGE = get(b"/graphql?query={__schema{types{name,description,fields{name,description}}}}")
STREAMS = 200


@dataclass
class Reviews:
    """A subgraph that answers when it is let."""

    url: str
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def reviews() -> AsyncIterator[Reviews]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        running.asked.set()
        await running.may_answer.wait()
        body = b'{"data": {"average": 4.5}}'
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        writer.write(head + body)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    running = Reviews(f"http://127.0.0.1:{port}/graphql")
    async with server:
        yield running
        running.may_answer.set()


async def refuses(running: Edge) -> bool:
    """Whether the router takes no connection any more."""
    try:
        async with await running.connect():
            return False
    except (ConnectionRefusedError, ConnectionResetError):
        # A connection that waits to be taken when the router ceases to listen is reset.
        return True


async def ends(running: Edge) -> bool:
    """Whether the router tells load balancers that it ends."""
    ready = await running.say(get(b"/health/ready"))
    return ready.json["checks"].get("process") == "draining" and ready.status == 503


async def within(seconds: float, condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():
            pass


async def stopped(running: Edge) -> int:
    async with asyncio.timeout(60):
        await running.process.communicate()
    assert running.process.returncode is not None
    return running.process.returncode


async def test_an_operation_that_runs_is_answered_and_no_other_begins():
    async with reviews() as slow, edge(REVIEWS_URL=slow.url) as running, await running.connect() as socket:
        await socket.send(post())
        await slow.asked.wait()
        running.process.terminate()
        await within(60, lambda: refuses(running))
        slow.may_answer.set()
        answer = await socket.answer()
        assert (answer.status, answer.json, answer.headers["connection"]) == (200, ANSWER, "close")
        assert await stopped(running) == -signal.SIGTERM


async def test_an_operation_that_takes_too_long_is_told_so():
    async with (
        reviews() as slow,
        edge(REVIEWS_URL=slow.url, ROUTER_SHUTDOWN_TIMEOUT="1") as running,
        await running.connect() as socket,
    ):
        await socket.send(post())
        await slow.asked.wait()
        running.process.terminate()
        answer = await socket.answer()
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert answer.json["errors"][0]["extensions"]["code"] == "STOPPED"
        assert await stopped(running) == -signal.SIGTERM


async def test_event_streams_end_at_once_however_long_operations_may_take():
    async with edge() as running, await running.connect() as socket:
        await socket.send(SUBSCRIBE)
        await socket.reader.readuntil(b":\n\n")
        running.process.terminate()
        async with asyncio.timeout(60):
            await socket.reader.read()
        assert await stopped(running) == -signal.SIGTERM


async def test_load_balancers_are_told_before_it_stops_to_listen():
    async with edge(ROUTER_SHUTDOWN_DELAY="3") as running:
        running.process.terminate()
        await within(60, lambda: ends(running))
        assert (await running.say(post())).json == ANSWER
        assert await stopped(running) == -signal.SIGTERM


@pytest.mark.parametrize("also", ["nobody", "a client that does not read"])
async def test_it_ends_whatever_hangs(also: str):
    async with (
        edge(code=SPINNING, ROUTER_SHUTDOWN_TIMEOUT="1") as running,
        await running.connect() as socket,
    ):
        if also != "nobody":
            await socket.send(SUBSCRIBE)
            await socket.reader.readuntil(b":\n\n")
        running.process.send_signal(signal.SIGUSR1)
        await until(lambda: running.usage.cpu_percent(0.1) > 20)
        running.process.terminate()
        assert await stopped(running) == 1


async def test_it_ends_in_time_while_preparing_an_operation_hangs():
    async with (
        edge(code=HANGING, ROUTER_SHUTDOWN_TIMEOUT="1") as running,
        await running.connect() as socket,
    ):
        await socket.send(post())
        await until(lambda: running.usage.cpu_percent(0.1) > 20)
        assert (await running.say(get(b"/health/live"))).status == 200
        running.process.terminate()
        assert (await socket.answer()).status == 503
        assert await stopped(running) == -signal.SIGTERM


async def test_it_ends_in_time_with_many_streams_and_clients_that_do_not_read():
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(edge(ROUTER_SHUTDOWN_TIMEOUT="1"))
        for number in range(STREAMS):
            socket = await stack.enter_async_context(await running.connect(f"127.0.1.{number + 1}"))
            await socket.send(SUBSCRIBE)
            await socket.reader.readuntil(b":\n\n")
        for _ in range(10):
            slow = await stack.enter_async_context(await running.connect())
            cast("asyncio.Transport", slow.writer.transport).pause_reading()
            slow.writer.write(LARGE * 300)
        await until(lambda: running.usage.cpu_percent(0.1) < 20)
        running.process.terminate()
        assert await stopped(running) == -signal.SIGTERM
