"""The measurements; each assumes a platform that is warmed up and otherwise idle."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx2
import psutil

from infra.bench.metrics import Samples, read_samples, sum_samples
from infra.bench.parent import Parent
from infra.demo import documents
from infra.local import Stack
from subgraphs.domains import DOMAINS

WARM_UP_REQUESTS = 50
REQUESTS = 300
BOOK_COUNTS = (1, 10, 100)
MIB = 1024 * 1024

LIST_BOOKS = """
query ListBooks($first: Int!) {
  me {
    displayName
    books(first: $first) {
      nodes {
        title
        status
        child { name }
        coverIllustration { url }
        snapshot { contentHash }
        generation { status stepsDone stepsTotal }
        orders { number status printJob { status } }
      }
    }
  }
}
"""


@dataclass(frozen=True, slots=True)
class RouterCost:
    """The mean cost of one request for the widest query."""

    cpu_milliseconds: float
    milliseconds: float
    subgraph_cpu_milliseconds: float

    @property
    def total(self) -> float:
        """CPU milliseconds of the router and the subgraphs."""
        return self.cpu_milliseconds + self.subgraph_cpu_milliseconds


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of one process and its children in MiB: resident, and proportional set size."""

    process: str
    resident: float
    share: float


async def measure_router_cost(stack: Stack, parent: Parent) -> RouterCost:
    """Measure CPU and response time per request for the demo's widest query, one request at a time."""
    pids = stack.processes
    for _ in range(WARM_UP_REQUESTS):
        await parent.graph.execute(documents.EVERYTHING)
    before = {name: _read_cpu_seconds(pids[name]) for name in ("router", *DOMAINS)}
    started = time.perf_counter()
    for _ in range(REQUESTS):
        await parent.graph.execute(documents.EVERYTHING)
    elapsed = time.perf_counter() - started
    spent = {name: _read_cpu_seconds(pids[name]) - seconds for name, seconds in before.items()}
    return RouterCost(
        cpu_milliseconds=spent.pop("router") / REQUESTS * 1000,
        milliseconds=elapsed / REQUESTS * 1000,
        subgraph_cpu_milliseconds=sum(spent.values()) / REQUESTS * 1000,
    )


async def count_statements_per_fetch(stack: Stack, parent: Parent) -> Mapping[str, Sequence[float]]:
    """Count each subgraph's SQL statements per fetch for a list of 1, 10 and 100 books."""
    async with httpx2.AsyncClient() as client:
        counts: dict[str, list[float]] = {domain: [] for domain in DOMAINS}
        for size in BOOK_COUNTS:
            await parent.graph.execute(LIST_BOOKS, {"first": size})
            before = await _read_subgraphs(client, stack)
            await parent.graph.execute(LIST_BOOKS, {"first": size})
            after = await _read_subgraphs(client, stack)
            for domain in DOMAINS:
                fetches = _compute_increase(before[domain], after[domain], "graphql_requests_total")
                statements = _compute_increase(before[domain], after[domain], "sql_statements_total")
                counts[domain].append(statements / fetches if fetches else 0.0)
    return counts


async def measure_typesetting(parent: Parent, snapshot_id: str) -> float:
    """Measure the seconds until both print files of a snapshot are there; they are made at the same time."""
    started = time.perf_counter()
    await parent.wait_for_print_files(snapshot_id)
    return time.perf_counter() - started


def measure_memory(stack: Stack) -> Sequence[Memory]:
    """Measure the memory of every process of the platform, largest first."""
    found = [_measure_process_memory(name, psutil.Process(pid)) for name, pid in stack.processes.items()]
    return sorted(found, key=lambda process: -process.resident)


def _measure_process_memory(name: str, process: psutil.Process) -> Memory:
    processes = [process, *process.children(recursive=True)]
    memory_infos = [member.memory_full_info() for member in processes]
    return Memory(
        process=name if len(processes) == 1 else f"{name} ({len(processes)} processes)",
        resident=sum(member.rss for member in memory_infos) / MIB,
        share=sum(getattr(member, "pss", member.uss) for member in memory_infos) / MIB,
    )


async def _read_subgraphs(client: httpx2.AsyncClient, stack: Stack) -> dict[str, Samples]:
    answers = await asyncio.gather(*(read_samples(client, stack.metrics_urls[domain]) for domain in DOMAINS))
    return dict(zip(DOMAINS, answers, strict=True))


def _compute_increase(before: Samples, after: Samples, name: str) -> float:
    return sum_samples(after, name) - sum_samples(before, name)


def _read_cpu_seconds(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
