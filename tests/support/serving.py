"""Real HTTP servers on loopback ports, in the event loop of the test."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Literal

import uvicorn
from starlette.types import ASGIApp


class _Server(uvicorn.Server):
    """A server that leaves the test process's signal handlers alone and stops without delay."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stop = asyncio.Event()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.stop.wait()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serve_app(
    app: ASGIApp, http: type[asyncio.Protocol] | Literal["auto"] = "auto", port: int = 0
) -> AsyncIterator[str]:
    """Serve an ASGI application by uvicorn; yields its address, such as `http://127.0.0.1:41234`.

    Port 0 takes a free one.
    """
    listener = socket.create_server(("127.0.0.1", port))
    server = _Server(
        uvicorn.Config(
            app,
            http=http,
            ws="websockets-sansio",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
        )
    )
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:
            if task.done():
                await task
                raise RuntimeError("the application did not start")
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.stop.set()
        await asyncio.gather(task, return_exceptions=True)
        listener.close()


@asynccontextmanager
async def refuse_connections() -> AsyncIterator[str]:
    """Reserves a port that nobody listens on; yields its address, which refuses connections."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
