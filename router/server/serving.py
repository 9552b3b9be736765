"""The router's uvicorn servers, and their graceful but bounded shutdown."""

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
from router.server.connection import ClientConnection
from router.server.listener import Listener, ListenerConfig
from router.server.websocket_protocol import WebSocketProtocol
from router.telemetry import Metrics, log

# File descriptors for connections to subgraphs and stores, and for the program's own files.
RESERVED_FILES = 256
# For closing stores and threads after all requests have ended.
CLEANUP_SECONDS = 5.0
# libuv accepts one connection per socket in an iteration of the event loop, so a busy loop accepts few per
# second and the backlog fills. With this many duplicates of the socket it accepts as many per iteration.
ACCEPTS_PER_ITERATION = 32


def raise_file_limit() -> int:
    """Raises the limit of open files to the maximum; returns how many connections of clients it allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return max(1, soft - RESERVED_FILES, soft // 2)


def configure(
    app: Any,
    settings: Connections,
    metrics: Metrics,
    admission: Admission,
    *,
    capacity: int,
    **options: Any,
) -> ListenerConfig:
    """The configuration of a server for an application, with at most `capacity` connections."""
    listener = Listener(settings, min(capacity, settings.max_connections), metrics, admission)
    return ListenerConfig(
        app,
        listener,
        loop="uvloop",
        http=cast("Any", ClientConnection),
        ws=cast("Any", WebSocketProtocol),
        # A compression window per connection takes more memory than short messages are worth.
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
        server_header=False,
        # `router.server.clients` handles forwarding headers.
        proxy_headers=False,
        timeout_keep_alive=cast("Any", settings.keep_alive_timeout),
        **options,
    )


class _Server(uvicorn.Server):
    """A uvicorn server that logs where it listens, once it does."""

    announcement: ClassVar[str]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts to listen; all sockets are duplicates of the first."""
        await super().startup(sockets)
        for listener in (sockets or ())[:1]:
            host, port = listener.getsockname()[:2]
            log.info(self.announcement, extra={"metadata": {"host": host, "port": port}})


class Server(_Server):
    """A server that becomes unready before it closes, and whose shutdown always ends."""

    announcement = "The router listens"

    def __init__(self, config: ListenerConfig, *, drain: Callable[[], None], delay: float) -> None:
        super().__init__(config)
        self._drain = drain
        self._delay = delay

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Starts the shutdown, and a watchdog that ends the process if it hangs."""
        if not self.should_exit:
            seconds = self._delay + (self.config.timeout_graceful_shutdown or 0) + CLEANUP_SECONDS
            # The watchdog thread does not need the GIL; it dumps the tracebacks of all threads.
            faulthandler.dump_traceback_later(seconds, exit=True)
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Becomes unready, and closes the listening sockets after the delay."""
        self._drain()
        await asyncio.sleep(self._delay)
        await super().shutdown(sockets)


class SideServer(_Server):
    """A server that runs beside the main one, which alone handles signals."""

    announcement = "Metrics are served"

    def __init__(self, config: ListenerConfig) -> None:
        super().__init__(config)
        self.is_listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts to listen, and reports that it does."""
        await super().startup(sockets)
        self.is_listening.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves signals to the other server."""
        yield


def run(server: Server, listener: socket.socket, side: SideServer, side_listener: socket.socket) -> None:
    """Runs both servers until the process is stopped."""

    async def serve() -> None:
        side_task = asyncio.create_task(side.serve([side_listener]))
        await side.is_listening.wait()
        await server.serve([listener, *(listener.dup() for _ in range(ACCEPTS_PER_ITERATION - 1))])
        side.should_exit = True
        await side_task

    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(serve())
