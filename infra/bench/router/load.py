"""Requests of the one query, over several connections at a time."""

from __future__ import annotations

import asyncio
import time

import orjson

from infra.bench.router.town import QUERY
from infra.errors import InfraError
from router.transport.address import Address
from router.transport.http_client import HttpClient

CONCURRENCY = 10
PATIENCE = 60.0


class Load:
    """Asks the one query, each time as another caller, and takes only the one answer."""

    def __init__(self, client: HttpClient, url: Address) -> None:
        self._client = client
        self._url = url
        self._body = orjson.dumps({"query": QUERY})
        self._right: bytes | None = None

    async def run(self, requests: int, connections: int = CONCURRENCY) -> list[float]:
        """The milliseconds that each request took."""
        numbers = iter(range(requests))
        milliseconds: list[float] = []

        async def one_connection() -> None:
            for number in numbers:
                started = time.perf_counter()
                await self._ask(number)
                milliseconds.append((time.perf_counter() - started) * 1000)

        async with asyncio.TaskGroup() as group:
            for _ in range(connections):
                group.create_task(one_connection())
        return milliseconds

    async def _ask(self, number: int) -> None:
        headers = {"content-type": "application/json", "authorization": f"Bearer caller-{number}"}
        answer = await self._client.post(self._url, headers, self._body, PATIENCE)
        if self._right is None and "errors" not in orjson.loads(answer.body):
            self._right = answer.body
        if answer.status != 200 or answer.body != self._right:
            raise InfraError(f"The router answered {answer.status}: {answer.body[:300]!r}")
