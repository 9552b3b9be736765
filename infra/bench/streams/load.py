"""What live streams cost a platform: CPU and memory of router and ai, SQL statements, Valkey commands."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self

import httpx2
import psutil
from redis.asyncio import Redis

from infra.bench.metrics import read_samples, sum_samples
from infra.local import Stack

PROCESSES = ("router", "ai")
# Reading the number of commands is one.
_OWN_COMMANDS = frozenset({"cmdstat_info", "cmdstat_hello", "cmdstat_auth", "cmdstat_client|setinfo"})
_QUIET_SECONDS = 2.0
_QUIET_STATEMENTS = 3
_SETTLE_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class Load:
    """What the platform does in a second: seconds of CPU by process, statements of ai, and commands.

    It is the mean of so many `seconds`.
    """

    seconds: float
    cpu: Mapping[str, float]
    statements: float
    commands: float


@dataclass(frozen=True, slots=True)
class _Totals:
    at: float
    cpu: Mapping[str, float]
    statements: float
    commands: float

    def compute_rates(self, before: Self) -> Load:
        seconds = self.at - before.at
        return Load(
            seconds,
            {name: (spent - before.cpu[name]) / seconds for name, spent in self.cpu.items()},
            (self.statements - before.statements) / seconds,
            (self.commands - before.commands) / seconds,
        )


class LoadMeter:
    """Measures a platform while it runs."""

    def __init__(self, stack: Stack, http: httpx2.AsyncClient, redis: Redis) -> None:
        self._stack = stack
        self._http = http
        self._redis = redis
        self._processes = {name: psutil.Process(stack.processes[name]) for name in PROCESSES}

    @classmethod
    @asynccontextmanager
    async def of(cls, stack: Stack) -> AsyncIterator[Self]:
        """Open the connections that it reads from."""
        environ = stack.environ
        redis = Redis(
            host=environ["REDIS_HOST"],
            port=int(environ["REDIS_PORT"]),
            password=environ.get("REDIS_PASSWORD"),
        )
        async with httpx2.AsyncClient(timeout=60) as http, redis:
            yield cls(stack, http, redis)

    async def measure(self, seconds: float) -> Load:
        """Measure for so many seconds."""
        async with self.measuring() as loads:
            await asyncio.sleep(seconds)
        return loads[0]

    @asynccontextmanager
    async def measuring(self) -> AsyncIterator[list[Load]]:
        """Measure what happens in the context; the list has the result afterwards."""
        loads: list[Load] = []
        before = await self._read()
        yield loads
        loads.append((await self._read()).compute_rates(before))

    async def settle(self) -> None:
        """Wait until ai has nothing to do but the check of the rows of all streams."""
        deadline = time.monotonic() + _SETTLE_TIMEOUT
        statements = await self._count_statements()
        while time.monotonic() < deadline:
            await asyncio.sleep(_QUIET_SECONDS)
            before, statements = statements, await self._count_statements()
            if statements - before <= _QUIET_STATEMENTS:
                return

    def read_memory(self) -> Mapping[str, float]:
        """Read the memory of each process in KiB, without what it shares with others."""
        return {name: process.memory_full_info().uss / 1024 for name, process in self._processes.items()}

    async def _read(self) -> _Totals:
        statements, commands = await self._count_statements(), await self._count_commands()
        times = {name: process.cpu_times() for name, process in self._processes.items()}
        cpu = {name: each.user + each.system for name, each in times.items()}
        return _Totals(time.perf_counter(), cpu, statements, commands)

    async def _count_statements(self) -> float:
        samples = await read_samples(self._http, self._stack.metrics_urls["ai"])
        return sum_samples(samples, "sql_statements_total")

    async def _count_commands(self) -> int:
        statistics = await self._redis.info("commandstats")
        return sum(each["calls"] for name, each in statistics.items() if name not in _OWN_COMMANDS)
