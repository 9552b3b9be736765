"""A policy decision point for tests: a real server that speaks OPA's data API and can misbehave."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.support.waiting import wait_until

PATH = "/v1/data/memorable/policies"


class DecisionPoint:
    """A decision point that records its requests; `result` holds its decisions by policy."""

    def __init__(self, **result: Any) -> None:
        self.result: Any = result
        self.requests: list[Any] = []
        self.headers: list[dict[str, str]] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        self.requests.append(await request.json())
        return web.json_response({"result": self.result})

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        """Serves the decision point; yields its URL."""
        app = web.Application()
        app.router.add_post(PATH, self.answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        try:
            yield f"http://{host}:{port}{PATH}"
        finally:
            await runner.cleanup()


class FixedAnswer(DecisionPoint):
    """A decision point with one fixed answer."""

    def __init__(self, body: bytes, status: int = 200, **headers: str) -> None:
        super().__init__()
        self._body, self._status, self._headers = body, status, headers

    async def answer(self, request: web.Request) -> web.StreamResponse:
        await super().answer(request)
        return web.Response(body=self._body, status=self._status, headers=self._headers)


class NeverAnswering(DecisionPoint):
    """A decision point that never answers."""

    def __init__(self) -> None:
        super().__init__()
        self._end = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        await super().answer(request)
        await self._end.wait()
        raise AssertionError("unreachable")


class BreakingOff(DecisionPoint):
    """A decision point that closes the connection in the middle of its answer."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-length": "1000"})
        await response.prepare(request)
        await response.write(b'{"result": {"own": true')
        transport = request.transport
        assert transport is not None
        transport.close()
        await wait_until(transport.is_closing)
        return response
