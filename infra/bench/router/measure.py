"""Measurement of a router process in front of the workload's subgraphs, under closed-loop load."""

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

from infra.bench.router.interference import Latencies, measure_interference
from infra.bench.router.load import LoadGenerator
from infra.bench.router.workload import SCHEMAS, build_federated_sdl
from infra.errors import InfraError
from infra.local.ports import find_free_port
from infra.schema.composition import compose
from infra.schema.config import Subgraph
from router.transport.address import Address
from router.transport.http_client import HttpClient

WARM_UP_REQUESTS = 300
READY_TIMEOUT = 20.0
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Figures:
    """The results of one run."""

    cpu_seconds_per_thousand: float
    requests_per_second: float
    median_milliseconds: float
    p95_milliseconds: float
    fetches_per_request: float
    undisturbed: Latencies
    disturbed: Latencies
    mebibytes: float


async def measure(folder: Path, requests: int) -> Figures:
    """Start the workload's subgraphs and a router, and measure the router.

    Raises:
        InfraError: A process does not start, or a response is not the expected one.
    """
    subgraphs, router = find_free_port(), find_free_port()
    supergraph = folder / "supergraph.graphql"
    supergraph.write_text(_compose_supergraph(subgraphs))
    async with (
        httpx2.AsyncClient() as http,
        _run_process(
            http, f"http://127.0.0.1:{subgraphs}/fetches", "infra.bench.router.workload", str(subgraphs)
        ),
        _run_process(
            http,
            f"http://127.0.0.1:{router}/health/ready",
            "router",
            *("--supergraph", str(supergraph), "--port", str(router)),
        ) as process,
        HttpClient() as client,
    ):
        _pin_to_cores(process)
        url = Address.parse(f"http://127.0.0.1:{router}/graphql")
        load = LoadGenerator(client, url)
        await load.run(WARM_UP_REQUESTS)
        fetches, spent, started = (
            await _count_fetches(http, subgraphs),
            _read_cpu_seconds(process),
            time.perf_counter(),
        )
        milliseconds = await load.run(requests)
        elapsed, spent = time.perf_counter() - started, _read_cpu_seconds(process) - spent
        fetches = await _count_fetches(http, subgraphs) - fetches
        cuts = quantiles(milliseconds, n=20)
        undisturbed, disturbed = await measure_interference(client, url, load)
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


def _compose_supergraph(port: int) -> str:
    subgraphs = [Subgraph(name, f"http://127.0.0.1:{port}/{name}/graphql", Path(name)) for name in SCHEMAS]
    return compose(subgraphs, {name: build_federated_sdl(name) for name in SCHEMAS}).supergraph


@asynccontextmanager
async def _run_process(http: httpx2.AsyncClient, url: str, *command: str) -> AsyncIterator[psutil.Process]:
    """Run a Python module as a process, and yield it once `url` responds."""
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *command),
        env={**os.environ, "METRICS_PORT": "0"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        await _wait_until_ready(http, url, command[0])
        yield psutil.Process(running.pid)
    finally:
        if running.returncode is None:
            running.terminate()
        await running.wait()


async def _wait_until_ready(http: httpx2.AsyncClient, url: str, name: str) -> None:
    deadline = time.monotonic() + READY_TIMEOUT
    while time.monotonic() < deadline:
        try:
            if (await http.get(url)).is_success:
                return
        except httpx2.TransportError:
            pass
        await asyncio.sleep(0.05)
    raise InfraError(f"{name} was not ready within {READY_TIMEOUT:g} seconds.")


def _pin_to_cores(router: psutil.Process) -> None:
    """Pin the router to one core and the subgraphs to the others, where the system supports it."""
    cores: Sequence[int] = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else ()
    if len(cores) < 2:
        return
    for process in psutil.Process().children():
        process.cpu_affinity([cores[0]] if process.pid == router.pid else list(cores[1:]))


async def _count_fetches(http: httpx2.AsyncClient, port: int) -> int:
    return int((await http.get(f"http://127.0.0.1:{port}/fetches")).text)


def _read_cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
