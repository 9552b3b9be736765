"""The measurements, each on a platform that is warm and otherwise at rest."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx2
import psutil

from infra.bench.metrics import Samples, read, total
from infra.bench.parent import Parent
from infra.demo import documents
from infra.local import Stack
from subgraphs.domains import DOMAINS

WARM_UP = 50
REQUESTS = 300
SIZES = (1, 10, 100)
MIB = 1024 * 1024

SHELF = """
query Shelf($first: Int!) {
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
    """What one request for the widest query costs."""

    cpu_milliseconds: float
    milliseconds: float
    subgraph_cpu_milliseconds: float

    @property
    def total(self) -> float:
        """CPU milliseconds of router and subgraphs together."""
        return self.cpu_milliseconds + self.subgraph_cpu_milliseconds


@dataclass(frozen=True, slots=True)
class Memory:
    """Mebibytes of one process with its children: resident, and the proportional share of them."""

    process: str
    resident: float
    share: float


async def router_cost(stack: Stack, parent: Parent) -> RouterCost:
    """CPU time of the router, and of the subgraphs together, for each request of the widest demo query."""
    pids = stack.processes
    for _ in range(WARM_UP):
        await parent.graph.execute(documents.EVERYTHING)
    before = {name: _cpu_seconds(pids[name]) for name in ("router", *DOMAINS)}
    started = time.perf_counter()
    for _ in range(REQUESTS):
        await parent.graph.execute(documents.EVERYTHING)
    elapsed = time.perf_counter() - started
    spent = {name: _cpu_seconds(pids[name]) - seconds for name, seconds in before.items()}
    return RouterCost(
        cpu_milliseconds=spent.pop("router") / REQUESTS * 1000,
        milliseconds=elapsed / REQUESTS * 1000,
        subgraph_cpu_milliseconds=sum(spent.values()) / REQUESTS * 1000,
    )


async def statements_per_fetch(stack: Stack, parent: Parent) -> Mapping[str, Sequence[float]]:
    """SQL statements of each subgraph for one fetch, when the shelf has 1, 10 and 100 books."""
    async with httpx2.AsyncClient() as client:
        counts: dict[str, list[float]] = {domain: [] for domain in DOMAINS}
        for size in SIZES:
            await parent.graph.execute(SHELF, {"first": size})
            before = await _read_subgraphs(client, stack)
            await parent.graph.execute(SHELF, {"first": size})
            after = await _read_subgraphs(client, stack)
            for domain in DOMAINS:
                fetches = _growth(before[domain], after[domain], "graphql_requests_total")
                statements = _growth(before[domain], after[domain], "sql_statements_total")
                counts[domain].append(statements / fetches if fetches else 0.0)
    return counts


async def typesetting_seconds(stack: Stack) -> float:
    """The mean time of the jobs that made the interior and the cover of a book of 32 pages."""
    async with httpx2.AsyncClient() as client:
        samples = await read(client, stack.metrics_urls["worker"])
    jobs = {dict(labels).get("job", "") for _, labels in samples}
    job = next(name for name in jobs if name.endswith("TypesetSnapshot"))
    return total(samples, "job_seconds_sum", job=job) / total(samples, "job_seconds_count", job=job)


def memory(stack: Stack) -> Sequence[Memory]:
    """The memory of every process of the platform, largest first."""
    found = [_memory_of(name, psutil.Process(pid)) for name, pid in stack.processes.items()]
    return sorted(found, key=lambda process: -process.resident)


def _memory_of(name: str, process: psutil.Process) -> Memory:
    family = [process, *process.children(recursive=True)]
    full = [member.memory_full_info() for member in family]
    return Memory(
        process=name if len(family) == 1 else f"{name} ({len(family)} processes)",
        resident=sum(member.rss for member in full) / MIB,
        share=sum(getattr(member, "pss", member.uss) for member in full) / MIB,
    )


async def _read_subgraphs(client: httpx2.AsyncClient, stack: Stack) -> dict[str, Samples]:
    answers = await asyncio.gather(*(read(client, stack.metrics_urls[domain]) for domain in DOMAINS))
    return dict(zip(DOMAINS, answers, strict=True))


def _growth(before: Samples, after: Samples, name: str) -> float:
    return total(after, name) - total(before, name)


def _cpu_seconds(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
