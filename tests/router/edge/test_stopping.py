"""Shutdown on SIGTERM: running operations finish, nothing else begins, and whatever hangs is ended."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import pytest

from tests.router.edge.raw_http import ANSWER, Edge, build_get, build_post, run_edge
from tests.support.waiting import wait_until

SUBSCRIBE = build_get(b"/graphql?query=subscription{silence{title}}", b"accept: text/event-stream")
# SIGUSR1 makes the event loop's thread compute for ever.
SPINNING_EVENT_LOOP = """
import signal, sys
from router.__main__ import main

def spin(*_):
    while True:
        pass

signal.signal(signal.SIGUSR1, spin)
sys.exit(main())
"""
# Planning never ends, whatever its deadline.
HANGING_PLANNER = """
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
# A short request whose answer is larger than the buffers of a connection.
LARGE = build_get(b"/graphql?query={__schema{types{name,description,fields{name,description}}}}")
STREAMS = 200


@dataclass
class SlowReviews:
    """A reviews subgraph that answers once `may_answer` is set."""

    url: str
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def serve_slow_reviews() -> AsyncIterator[SlowReviews]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        running.was_asked.set()
        await running.may_answer.wait()
        body = b'{"data": {"average": 4.5}}'
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        writer.write(head + body)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    running = SlowReviews(f"http://127.0.0.1:{port}/graphql")
    async with server:
        yield running
        running.may_answer.set()


async def refuses_connections(running: Edge) -> bool:
    """Whether the router no longer accepts connections."""
    try:
        async with await running.connect():
            return False
    except (ConnectionRefusedError, ConnectionResetError):
        # A connection that is in the backlog when the router stops listening is reset.
        return True


async def is_draining(running: Edge) -> bool:
    """Whether the readiness check reports that the router is draining."""
    ready = await running.request(build_get(b"/health/ready"))
    return ready.json["checks"].get("process") == "draining" and ready.status == 503


async def wait_within(seconds: float, condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():
            pass


async def wait_for_exit(running: Edge) -> int:
    async with asyncio.timeout(60):
        await running.process.communicate()
    assert running.process.returncode is not None
    return running.process.returncode


async def test_a_running_operation_is_answered_and_no_other_begins():
    async with (
        serve_slow_reviews() as slow,
        run_edge(REVIEWS_URL=slow.url) as running,
        await running.connect() as socket,
    ):
        await socket.send(build_post())
        await slow.was_asked.wait()
        running.process.terminate()
        await wait_within(60, lambda: refuses_connections(running))
        slow.may_answer.set()
        answer = await socket.read_answer()
        assert (answer.status, answer.json, answer.headers["connection"]) == (200, ANSWER, "close")
        assert await wait_for_exit(running) == -signal.SIGTERM


async def test_an_operation_that_outlasts_the_shutdown_timeout_gets_503():
    async with (
        serve_slow_reviews() as slow,
        run_edge(REVIEWS_URL=slow.url, ROUTER_SHUTDOWN_TIMEOUT="1") as running,
        await running.connect() as socket,
    ):
        await socket.send(build_post())
        await slow.was_asked.wait()
        running.process.terminate()
        answer = await socket.read_answer()
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert answer.json["errors"][0]["extensions"]["code"] == "STOPPED"
        assert await wait_for_exit(running) == -signal.SIGTERM


async def test_event_streams_end_at_once_however_long_operations_may_take():
    async with run_edge() as running, await running.connect() as socket:
        await socket.send(SUBSCRIBE)
        await socket.reader.readuntil(b":\n\n")
        running.process.terminate()
        async with asyncio.timeout(60):
            await socket.reader.read()
        assert await wait_for_exit(running) == -signal.SIGTERM


async def test_readiness_fails_before_the_router_stops_listening():
    async with run_edge(ROUTER_SHUTDOWN_DELAY="3") as running:
        running.process.terminate()
        await wait_within(60, lambda: is_draining(running))
        assert (await running.request(build_post())).json == ANSWER
        assert await wait_for_exit(running) == -signal.SIGTERM


@pytest.mark.parametrize("client", ["none", "a client that does not read"])
async def test_the_router_exits_although_its_event_loop_hangs(client: str):
    async with (
        run_edge(code=SPINNING_EVENT_LOOP, ROUTER_SHUTDOWN_TIMEOUT="1") as running,
        await running.connect() as socket,
    ):
        if client != "none":
            await socket.send(SUBSCRIBE)
            await socket.reader.readuntil(b":\n\n")
        running.process.send_signal(signal.SIGUSR1)
        await wait_until(lambda: running.process_info.cpu_percent(0.1) > 20)
        running.process.terminate()
        assert await wait_for_exit(running) == 1


async def test_the_router_exits_in_time_while_planning_hangs():
    async with (
        run_edge(code=HANGING_PLANNER, ROUTER_SHUTDOWN_TIMEOUT="1") as running,
        await running.connect() as socket,
    ):
        await socket.send(build_post())
        await wait_until(lambda: running.process_info.cpu_percent(0.1) > 20)
        assert (await running.request(build_get(b"/health/live"))).status == 200
        running.process.terminate()
        assert (await socket.read_answer()).status == 503
        assert await wait_for_exit(running) == -signal.SIGTERM


async def test_the_router_exits_in_time_with_many_streams_and_clients_that_do_not_read():
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(run_edge(ROUTER_SHUTDOWN_TIMEOUT="1"))
        for number in range(STREAMS):
            socket = await stack.enter_async_context(await running.connect(f"127.0.1.{number + 1}"))
            await socket.send(SUBSCRIBE)
            await socket.reader.readuntil(b":\n\n")
        for _ in range(10):
            slow = await stack.enter_async_context(await running.connect())
            cast("asyncio.Transport", slow.writer.transport).pause_reading()
            slow.writer.write(LARGE * 300)
        await wait_until(lambda: running.process_info.cpu_percent(0.1) < 20)
        running.process.terminate()
        assert await wait_for_exit(running) == -signal.SIGTERM
