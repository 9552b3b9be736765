"""Serving over HTTP: what listens, how it ends, and that it ends."""

from __future__ import annotations

import asyncio
import faulthandler
import resource
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, ClassVar, cast

import uvicorn

from router.admission import Admission
from router.config.connections import Connections
from router.server.connection import Connection
from router.server.listener import Listener, ListenerConfig
from router.server.websocket_protocol import WebSocketProtocol
from router.telemetry import Metrics, log

# Files that are no client's connection: to subgraphs, to stores, the program's own.
RESERVED_FILES = 256
# For what a process does after all requests have ended: to close stores and threads.
LAST_SECONDS = 5.0
# libuv takes one connection from a socket in a turn of the event loop, so that a busy one takes few in a
# second, and those who come often fill the queue of the socket. From so many copies it takes as many.
ACCEPTED_IN_TURN = 32


def raise_file_limit() -> int:
    """Lets this process open as many files as it may; how many clients that leaves room for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return max(1, soft - RESERVED_FILES, soft // 2)


def configured(
    app: Any,
    settings: Connections,
    metrics: Metrics,
    admission: Admission,
    *,
    capacity: int,
    **options: Any,
) -> ListenerConfig:
    """How an application is served: over connections that the settings limit."""
    listener = Listener(settings, min(capacity, settings.max_connections), metrics, admission)
    return ListenerConfig(
        app,
        listener,
        loop="uvloop",
        http=cast("Any", Connection),
        ws=cast("Any", WebSocketProtocol),
        # A window per connection costs more memory than the short messages of a live stream are worth.
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
        server_header=False,
        # `router.server.clients` knows whom to believe.
        proxy_headers=False,
        timeout_keep_alive=cast("Any", settings.keep_alive_timeout),
        **options,
    )


class _Server(uvicorn.Server):
    """uvicorn's server, which says where it listens, once it does and can be told to stop."""

    announcement: ClassVar[str]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to listen; all sockets are copies of the first."""
        await super().startup(sockets)
        for listener in (sockets or ())[:1]:
            host, port = listener.getsockname()[:2]
            log.info(self.announcement, extra={"metadata": {"host": host, "port": port}})


class Server(_Server):
    """A server that first tells that it is about to end, and always ends."""

    announcement = "The router listens"

    def __init__(self, config: ListenerConfig, *, drain: Callable[[], None], delay: float) -> None:
        super().__init__(config)
        self._drain = drain
        self._delay = delay

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begins to end, and sees to it that this comes to an end, whatever hangs."""
        if not self.should_exit:
            seconds = self._delay + (self.config.timeout_graceful_shutdown or 0) + LAST_SECONDS
            # In a thread that needs nothing of the interpreter; it tells where every other thread was.
            faulthandler.dump_traceback_later(seconds, exit=True)
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Says that it ends, to those who ask whether it is ready, some time before it stops to listen."""
        self._drain()
        await asyncio.sleep(self._delay)
        await super().shutdown(sockets)


class SideServer(_Server):
    """A server beside another one, which alone hears signals."""

    announcement = "Metrics are served"

    def __init__(self, config: ListenerConfig) -> None:
        super().__init__(config)
        self.listens = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to listen, and lets the other begin."""
        await super().startup(sockets)
        self.listens.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves them to the other."""
        yield


def run(server: Server, listener: socket.socket, side: SideServer, side_listener: socket.socket) -> None:
    """Serves until the process is told to stop."""

    async def serve() -> None:
        beside = asyncio.create_task(side.serve([side_listener]))
        await side.listens.wait()
        await server.serve([listener, *(listener.dup() for _ in range(ACCEPTED_IN_TURN - 1))])
        side.should_exit = True
        await beside

    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(serve())
