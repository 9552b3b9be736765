"""A router alone before the workload's subgraphs, asked as fast as it answers over ten connections."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

import httpx2
import orjson
import psutil

from infra.bench.router.town import QUERY, SCHEMAS, composable
from infra.errors import InfraError
from infra.local.ports import free_port
from infra.schema.composition import compose
from infra.schema.config import Subgraph
from router.executor.http_client import HttpClient

CONCURRENCY = 10
WARM_UP = 300
PATIENCE = 20.0
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Figures:
    """What the requests of one run took."""

    cpu_seconds_per_thousand: float
    requests_per_second: float
    median_milliseconds: float
    p95_milliseconds: float
    fetches_per_request: float
    mebibytes: float


async def measure(folder: Path, requests: int) -> Figures:
    """Measure a router of its own, which is started and stopped here.

    Raises:
        InfraError: A process does not start, or an answer is not the right one.
    """
    subgraphs, router = free_port(), free_port()
    supergraph = folder / "supergraph.graphql"
    supergraph.write_text(_supergraph(subgraphs))
    async with (
        httpx2.AsyncClient() as http,
        _process(http, f"http://127.0.0.1:{subgraphs}/fetches", "infra.bench.router.town", str(subgraphs)),
        _process(
            http,
            f"http://127.0.0.1:{router}/health/ready",
            "router",
            *("--supergraph", str(supergraph), "--port", str(router)),
        ) as process,
        HttpClient() as client,
    ):
        _apart(process)
        load = _Load(client, f"http://127.0.0.1:{router}/graphql")
        await load.run(WARM_UP)
        fetches, spent, started = await _fetches(http, subgraphs), _cpu(process), time.perf_counter()
        milliseconds = await load.run(requests)
        elapsed, spent = time.perf_counter() - started, _cpu(process) - spent
        fetches = await _fetches(http, subgraphs) - fetches
        cuts = quantiles(milliseconds, n=20)
        return Figures(
            cpu_seconds_per_thousand=spent / requests * 1000,
            requests_per_second=requests / elapsed,
            median_milliseconds=cuts[9],
            p95_milliseconds=cuts[18],
            fetches_per_request=fetches / requests,
            mebibytes=process.memory_info().rss / MIB,
        )


class _Load:
    """Asks the one query, each time as another caller, and takes only the one answer."""

    def __init__(self, client: HttpClient, url: str) -> None:
        self._client = client
        self._url = url
        self._body = orjson.dumps({"query": QUERY})
        self._right: bytes | None = None

    async def run(self, requests: int) -> list[float]:
        """The milliseconds that each request took."""
        numbers = iter(range(requests))
        milliseconds: list[float] = []

        async def one_connection() -> None:
            for number in numbers:
                started = time.perf_counter()
                await self._ask(number)
                milliseconds.append((time.perf_counter() - started) * 1000)

        async with asyncio.TaskGroup() as group:
            for _ in range(CONCURRENCY):
                group.create_task(one_connection())
        return milliseconds

    async def _ask(self, number: int) -> None:
        headers = {"content-type": "application/json", "authorization": f"Bearer caller-{number}"}
        answer = await self._client.post(self._url, headers, self._body)
        if self._right is None and "errors" not in orjson.loads(answer.body):
            self._right = answer.body
        if answer.status != 200 or answer.body != self._right:
            raise InfraError(f"The router answered {answer.status}: {answer.body[:300]!r}")


def _supergraph(port: int) -> str:
    parts = [Subgraph(name, f"http://127.0.0.1:{port}/{name}/graphql", Path(name)) for name in SCHEMAS]
    return compose(parts, {name: composable(name) for name in SCHEMAS}).supergraph


@asynccontextmanager
async def _process(http: httpx2.AsyncClient, url: str, *command: str) -> AsyncIterator[psutil.Process]:
    """A Python process that has begun to answer at an address."""
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        await _until_it_answers(http, url, command[0])
        yield psutil.Process(running.pid)
    finally:
        if running.returncode is None:
            running.terminate()
        await running.wait()


async def _until_it_answers(http: httpx2.AsyncClient, url: str, name: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if (await http.get(url)).is_success:
                return
        except httpx2.TransportError:
            pass
        await asyncio.sleep(0.05)
    raise InfraError(f"{name} did not begin to answer within {PATIENCE:g} seconds.")


def _apart(router: psutil.Process) -> None:
    """Gives the router one core and the subgraphs the others, where the system can do that."""
    cores: Sequence[int] = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else ()
    if len(cores) < 2:
        return
    for process in psutil.Process().children():
        process.cpu_affinity([cores[0]] if process.pid == router.pid else list(cores[1:]))


async def _fetches(http: httpx2.AsyncClient, port: int) -> int:
    return int((await http.get(f"http://127.0.0.1:{port}/fetches")).text)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
