"""A policy decision point for tests: it speaks OPA's data API at a real address, and can misbehave."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.router.library import until

PATH = "/v1/data/memorable/policies"


class DecisionPoint:
    """A decision point that remembers what it was asked; `result` are its decisions, by policy."""

    def __init__(self, **result: Any) -> None:
        self.result: Any = result
        self.questions: list[Any] = []
        self.headers: list[dict[str, str]] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        self.questions.append(await request.json())
        return web.json_response({"result": self.result})

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        """Serves the decisions; yields their address."""
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


class Saying(DecisionPoint):
    """A decision point that answers always the same."""

    def __init__(self, body: bytes, status: int = 200, **headers: str) -> None:
        super().__init__()
        self._body, self._status, self._headers = body, status, headers

    async def answer(self, request: web.Request) -> web.StreamResponse:
        await super().answer(request)
        return web.Response(body=self._body, status=self._status, headers=self._headers)


class Silent(DecisionPoint):
    """A decision point that never answers."""

    def __init__(self) -> None:
        super().__init__()
        self._end = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        await super().answer(request)
        await self._end.wait()
        raise AssertionError("unreachable")


class Interrupted(DecisionPoint):
    """A decision point that hangs up within its answer."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-length": "1000"})
        await response.prepare(request)
        await response.write(b'{"result": {"own": true')
        transport = request.transport
        assert transport is not None
        transport.close()
        await until(transport.is_closing)
        return response
