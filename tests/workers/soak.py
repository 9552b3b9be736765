"""`python -m tests.workers.soak`: faults at random moments, while books are made and orders are printed.

Valkey is flushed, or killed and starts empty; workers are killed, or stopped for longer than their leases and
continued; PostgreSQL's connections are cut. In the end each book must be complete and each order printed, and
nothing may have happened twice.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import redis.asyncio
from redis.exceptions import RedisError
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from infra.console import print_status
from infra.database import migrate
from infra.local import Servers
from subgraphs.ai.models import Generation, GenerationEvent, GenerationStep, StepStatus
from subgraphs.ai.states import GENERATION_STATES, GenerationStatus
from subgraphs.domains import DOMAINS
from subgraphs.orders.models import OfflinePayment, Order
from subgraphs.orders.states import OrderStatus
from subgraphs.print.models import OfflineShopJob, PrintJob
from tests.support.subgraph import build_settings
from tests.workers import generation_runs
from tests.workers.harness import run_worker_process
from tests.workers.paid_orders import create_paid_order
from workers.platform import Platform, open_platform

NAME = "soak"
WORKERS = 3
BOOKS_AT_A_TIME = 4
ORDERS_AT_A_TIME = 2
ENDED = {OrderStatus.SHIPPED, OrderStatus.PRINT_REJECTED}
EVENTS_PER_BOOK = {
    "GenerationStarted": 1,
    "OutlineWritten": 1,
    "PageWritten": 14,
    "IllustrationReady": 15,
    "GenerationCompleted": 1,
}
FINAL_WAIT_SECONDS = 900
CUT_CONNECTIONS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE usename = current_user AND pid <> pg_backend_pid()"
)


@dataclass(slots=True)
class Soak:
    """A platform of servers and worker processes, and the work that was started on it."""

    servers: Servers
    platform: Platform
    random: Random
    workers: list[asyncio.subprocess.Process] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    generations: list[str] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)

    async def flush_valkey(self) -> None:
        """Delete all data of Valkey."""
        environ = self.servers.environ
        connection = redis.asyncio.Redis(port=int(environ["REDIS_PORT"]), password=environ["REDIS_PASSWORD"])
        with suppress(RedisError):
            await connection.flushall()
        await connection.aclose()

    async def restart_valkey(self) -> None:
        """Kill Valkey and start it empty."""
        os.kill(self.servers.pids["valkey"], signal.SIGKILL)
        while not await asyncio.to_thread(self.servers.restart_crashed):  # noqa: ASYNC110 - a process ends
            await asyncio.sleep(0.05)

    async def kill_worker(self) -> None:
        """Kill a worker; another is started in its index."""
        with suppress(ProcessLookupError):
            self.random.choice(self.workers).kill()

    async def pause_worker(self) -> None:
        """Stop a worker for up to twice its lease, and continue it."""
        worker = self.random.choice(self.workers)
        with suppress(ProcessLookupError):
            worker.send_signal(signal.SIGSTOP)
            await asyncio.sleep(self.random.uniform(0.1, 20))
            worker.send_signal(signal.SIGCONT)

    async def cut_connections(self) -> None:
        """Cut a domain's connections to PostgreSQL."""
        runtime = self.random.choice(list(self.platform.runtimes.values()))
        async with runtime.database.read() as session:
            await session.execute(CUT_CONNECTIONS)

    async def keep_starting_work(self) -> None:
        """Start books and orders, so that some are always in progress."""
        while True:
            with suppress(Exception):  # a fault has hit this process too; what was committed counts
                if await self.count_active_generations() < BOOKS_AT_A_TIME:
                    draft = await generation_runs.create_draft_book(self.platform)
                    self.generations.append(await generation_runs.queue_book(self.platform, draft))
                if await self.count_active_orders() < ORDERS_AT_A_TIME:
                    _, order = await create_paid_order(self.platform)
                    self.orders.append(order.id)
            await asyncio.sleep(0.5)

    async def count_active_generations(self) -> int:
        """Count the generations that have not ended."""
        async with self.platform.ai.database.read() as session:
            active = Generation.status.in_(sorted(GENERATION_STATES.active))
            return await session.scalar(select(func.count()).where(active)) or 0

    async def count_active_orders(self) -> int:
        """Count the orders that have been paid and neither printed nor rejected."""
        async with self.platform.orders.database.read() as session:
            return await session.scalar(select(func.count()).where(Order.status.not_in(sorted(ENDED)))) or 0

    async def keep_worker_running(self, index: int) -> None:
        """Run a worker process, and another one whenever it has been killed."""
        while True:
            async with run_worker_process(
                self.servers.environ, OFFLINE_WORDS_PER_SECOND="300", OFFLINE_PRINT_STEP_SECONDS="0.3"
            ) as process:
                self.workers[index : index + 1] = [process]
                await process.wait()

    async def find_violations(self) -> list[str]:
        """Find what is not complete, and what happened twice."""
        found = []
        async with self.platform.ai.database.read() as session:
            incomplete = select(Generation).where(Generation.status != GenerationStatus.COMPLETED)
            found += [
                f"{each.id} is {each.status}: {each.failure}" for each in await session.scalars(incomplete)
            ]
            open_steps = select(GenerationStep).where(GenerationStep.status != StepStatus.DONE)
            found += [
                f"{step.generation_id}: {step.kind} is {step.status}"
                for step in await session.scalars(open_steps)
            ]
            counts: dict[str, Counter[str]] = {}
            for event in await session.scalars(select(GenerationEvent)):
                counts.setdefault(event.generation_id, Counter())[event.kind] += 1
            found += [
                f"{generation_id} has {dict(kinds)}"
                for generation_id, kinds in counts.items()
                if EVENTS_PER_BOOK.items() - kinds.items()
            ]
        async with self.platform.orders.database.read() as session:
            unprinted = select(Order).where(Order.status != OrderStatus.SHIPPED)
            found += [f"{order.id} is {order.status}" for order in await session.scalars(unprinted)]
            charged = (
                select(OfflinePayment.order_id).group_by(OfflinePayment.order_id).having(func.count() > 1)
            )
            found += [f"{order_id} was charged twice" for order_id in await session.scalars(charged)]
        async with self.platform.print.database.read() as session:
            jobs = await session.scalar(select(func.count()).select_from(PrintJob))
            printed = await session.scalar(select(func.count()).select_from(OfflineShopJob))
            if jobs != printed:
                found.append(f"{printed} copies of {jobs} print jobs are at the shop")
        return found


async def run(fault_count: int, seed: int) -> list[str]:
    """Cause faults at random moments, let everything finish, and return the violations."""
    random = Random(seed)  # noqa: S311 - no secret
    with (
        tempfile.TemporaryDirectory(prefix="memorable-soak-") as folder,
        Servers(Path(folder), durable=False) as servers,
    ):
        await asyncio.to_thread(migrate, servers.environ)
        settings = {domain: build_settings(domain, servers.environ) for domain in DOMAINS}
        async with open_platform(settings) as platform:
            soak = Soak(servers, platform, random)
            tasks = [asyncio.create_task(soak.keep_worker_running(index)) for index in range(WORKERS)]
            starting = asyncio.create_task(soak.keep_starting_work())
            try:
                await cause_faults(soak, fault_count)
                starting.cancel()
                await wait_for_end(soak)
                return await soak.find_violations()
            finally:
                for task in (*tasks, starting):
                    task.cancel()
                await asyncio.gather(*tasks, starting, return_exceptions=True)


async def cause_faults(soak: Soak, count: int) -> None:
    """Cause one fault after the other, with random pauses between them."""
    faults = [
        soak.flush_valkey,
        soak.restart_valkey,
        soak.kill_worker,
        soak.pause_worker,
        soak.cut_connections,
    ]
    while len(soak.workers) < WORKERS:  # noqa: ASYNC110 - the workers are processes
        await asyncio.sleep(0.1)
    for number in range(1, count + 1):
        await asyncio.sleep(soak.random.expovariate(1 / 1.5))
        fault = soak.random.choice(faults)
        soak.faults[fault.__name__] += 1
        with suppress(OSError, SQLAlchemyError):
            await fault()
        if number % 20 == 0:
            started = f"{len(soak.generations)} books, {len(soak.orders)} orders"
            print_status(NAME, f"{number} faults, {started}: {dict(soak.faults)}")


async def wait_for_end(soak: Soak) -> None:
    """Wait, for a limited time, until no generation and no order is in progress."""
    print_status(NAME, "waiting until everything has finished")
    deadline = time.monotonic() + FINAL_WAIT_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError, SQLAlchemyError):
            if not await soak.count_active_generations() and not await soak.count_active_orders():
                return
        await asyncio.sleep(1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the soak test; return 1 if there are violations."""
    parser = argparse.ArgumentParser(prog="python -m tests.workers.soak", description=__doc__)
    parser.add_argument("--faults", type=int, default=200, help="the number of faults")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 32))
    options = parser.parse_args(arguments)
    print_status(NAME, f"seed {options.seed}: {options.faults} faults")
    violations = asyncio.run(run(options.faults, options.seed))
    for violation in violations:
        print_status(NAME, violation)
    print_status(NAME, f"{len(violations)} violations" if violations else "no violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
