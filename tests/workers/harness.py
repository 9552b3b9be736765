"""Workers inside a test and in a process; run as a module, a worker that holds its job until it is killed."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from subgraphs.common.clock import utc_now
from subgraphs.common.deliveries import Delivery, DeliveryState
from subgraphs.common.messages import Event, Job
from subgraphs.domains import DOMAINS
from tests.support.subgraph import build_settings
from workers import queues
from workers.arq_worker import open_queue, run_queue
from workers.platform import Platform, open_platform
from workers.registry import REGISTRY, Handler, Registry
from workers.relay import Relay
from workers.runner import Runner

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class HoldStill(Job):
    """A job of these tests."""

    n: int


def build_registry(handle: Callable[[Platform, Delivery], Awaitable[None]]) -> Registry:
    """Build a registry with one handler, for HoldStill."""
    registry = Registry()
    registry.add("workers.HoldStill", Handler(handle, queues.DEFAULT))
    return registry


async def enqueue(platform: Platform, *numbers: int, owner_id: str | None = None) -> None:
    """Commit jobs of the print domain."""
    async with platform.print.unit_of_work() as uow:
        for n in numbers:
            await uow.enqueue(HoldStill(n), owner_id=owner_id)


async def deliver_event(platform: Platform, event: Event, consumer: str, message_id: str) -> None:
    """Hand an event to one of its consumers, as a worker does."""
    delivery = Delivery(
        id=f"{message_id}:{consumer}",
        message_id=message_id,
        destination=consumer,
        queue=queues.DEFAULT,
        version=event.version,
        payload=event.to_payload(),
        owner_id=None,
        traceparent="",
        state=DeliveryState.DUE,
        attempts=1,
        turn=None,
        due_at=utc_now(),
        error=None,
    )
    await REGISTRY.handlers[consumer].handle(platform, delivery)


async def read_deliveries(platform: Platform, domain: str = "print") -> list[Delivery]:
    """The deliveries of a domain, in the order in which they were ready."""
    table = DOMAINS[domain].get_table("deliveries")
    async with platform.runtimes[domain].database.read() as session:
        rows = await session.execute(select(table).order_by(table.c.ready_at, table.c.id))
        fields = Delivery.__dataclass_fields__
        return [Delivery(**{name: getattr(row, name) for name in fields}) for row in rows]


@asynccontextmanager
async def run_worker(
    environ: Mapping[str, str],
    platform: Platform,
    registry: Registry = REGISTRY,
    names: Collection[str] = tuple(queues.CONCURRENCY),
) -> AsyncIterator[Runner]:
    """Run a worker of some queues, with its relay, inside of the test."""
    settings = build_settings("auth", environ)
    runner, connection = Runner(platform, registry), open_queue(settings)
    coroutines = [
        *(run_queue(runner, settings, name) for name in names),
        runner.renew_leases(),
        Relay(platform, connection, registry).run(),
    ]
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        yield runner
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await connection.aclose(close_connection_pool=True)


@asynccontextmanager
async def run_worker_process(
    environ: Mapping[str, str],
    module: str = "workers",
    stdout: int = asyncio.subprocess.DEVNULL,
    **settings: str,
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a module as a worker process, and kill it in the end; `settings` override `environ`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module), cwd=ROOT, env={**os.environ, **environ, **settings}, stdout=stdout
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def wait_until(condition: Callable[[], Awaitable[bool]], seconds: float = 90) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - the state changes in another process
            await asyncio.sleep(0.02)


async def hold_until_killed() -> None:
    """Take one job, print `holding`, and never finish it."""

    async def hold(platform: Platform, delivery: Delivery) -> None:
        del platform, delivery
        sys.stdout.write("holding\n")
        sys.stdout.flush()
        await asyncio.Event().wait()

    settings = {domain: build_settings(domain, os.environ) for domain in DOMAINS}
    async with (
        open_platform(settings) as platform,
        run_worker(os.environ, platform, build_registry(hold), [queues.DEFAULT]),
    ):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(hold_until_killed())
