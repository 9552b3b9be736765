"""A subgraph that broadcasts events to all of its open streams, and repeats numbered ones of the past."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class Station:
    """The subgraph of the supergraph `counters`; `cursors` are those that its streams were opened with."""

    url: str = ""
    streams: list[web.StreamResponse] = field(default_factory=list)
    cursors: list[int | None] = field(default_factory=list)
    past: list[bytes] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        cursor = ((await request.json()).get("variables") or {}).get("cursor")
        self.cursors.append(cursor)
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for event in self.past[cursor or 0 :]:
            await response.write(event)
        self.streams.append(response)
        try:
            await asyncio.Event().wait()
        finally:
            self.streams.remove(response)
        return response

    async def send(self, text: str) -> None:
        """Sends an event without a number."""
        await self._write(_build_event({"beats": {"text": text}}))

    async def count(self, text: str) -> None:
        """Sends an event with the next number."""
        event = _build_event({"counts": {"text": text, "sequence": len(self.past) + 1}})
        self.past.append(event)
        await self._write(event)

    async def complete(self) -> None:
        await self._write(b"event: complete\ndata: \n\n")

    async def _write(self, event: bytes) -> None:
        for stream in self.streams:
            await stream.write(event)


def _build_event(data: dict[str, Any]) -> bytes:
    return b"event: next\ndata: " + json.dumps({"data": data}).encode() + b"\n\n"


@asynccontextmanager
async def run_station() -> AsyncIterator[Station]:
    station = Station()
    app = web.Application()
    app.router.add_post("/graphql", station.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    station.url = f"http://{host}:{port}/graphql"
    try:
        yield station
    finally:
        await runner.cleanup()
