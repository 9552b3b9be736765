"""A load generator that sends one query over several connections at once."""

from __future__ import annotations

import asyncio
import time

import orjson

from infra.bench.router.workload import QUERY
from infra.errors import InfraError
from router.transport.address import Address
from router.transport.http_client import HttpClient

CONCURRENCY = 10
REQUEST_TIMEOUT = 60.0


class LoadGenerator:
    """Sends the workload's query, each time as a different caller, and checks that all responses agree."""

    def __init__(self, client: HttpClient, url: Address) -> None:
        self._client = client
        self._url = url
        self._body = orjson.dumps({"query": QUERY})
        self._expected: bytes | None = None

    async def run(self, requests: int, connections: int = CONCURRENCY) -> list[float]:
        """Send the requests and return their latencies in milliseconds."""
        numbers = iter(range(requests))
        milliseconds: list[float] = []

        async def run_connection() -> None:
            for number in numbers:
                started = time.perf_counter()
                await self._send(number)
                milliseconds.append((time.perf_counter() - started) * 1000)

        async with asyncio.TaskGroup() as group:
            for _ in range(connections):
                group.create_task(run_connection())
        return milliseconds

    async def _send(self, number: int) -> None:
        headers = {"content-type": "application/json", "authorization": f"Bearer caller-{number}"}
        response = await self._client.post(self._url, headers, self._body, REQUEST_TIMEOUT)
        if self._expected is None and "errors" not in orjson.loads(response.body):
            self._expected = response.body
        if response.status != 200 or response.body != self._expected:
            raise InfraError(f"The router answered {response.status}: {response.body[:300]!r}")
