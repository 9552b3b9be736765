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
import psutil

from infra.bench.router.cold import Delays, delays
from infra.bench.router.load import Load
from infra.bench.router.town import SCHEMAS, composable
from infra.errors import InfraError
from infra.local.ports import free_port
from infra.schema.composition import compose
from infra.schema.config import Subgraph
from router.transport.address import Address
from router.transport.http_client import HttpClient

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
    undisturbed: Delays
    disturbed: Delays
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
        url = Address.parse(f"http://127.0.0.1:{router}/graphql")
        load = Load(client, url)
        await load.run(WARM_UP)
        fetches, spent, started = await _fetches(http, subgraphs), _cpu(process), time.perf_counter()
        milliseconds = await load.run(requests)
        elapsed, spent = time.perf_counter() - started, _cpu(process) - spent
        fetches = await _fetches(http, subgraphs) - fetches
        cuts = quantiles(milliseconds, n=20)
        undisturbed, disturbed = await delays(client, url, load)
        return Figures(
            cpu_seconds_per_thousand=spent / requests * 1000,
            requests_per_second=requests / elapsed,
            median_milliseconds=cuts[9],
            p95_milliseconds=cuts[18],
            fetches_per_request=fetches / requests,
            undisturbed=undisturbed,
            disturbed=disturbed,
            mebibytes=process.memory_info().rss / MIB,
        )


def _supergraph(port: int) -> str:
    parts = [Subgraph(name, f"http://127.0.0.1:{port}/{name}/graphql", Path(name)) for name in SCHEMAS]
    return compose(parts, {name: composable(name) for name in SCHEMAS}).supergraph


@asynccontextmanager
async def _process(http: httpx2.AsyncClient, url: str, *command: str) -> AsyncIterator[psutil.Process]:
    """A Python process that has begun to answer at an address."""
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *command),
        env={**os.environ, "METRICS_PORT": "0"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
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
