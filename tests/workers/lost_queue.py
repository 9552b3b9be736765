"""A book and an order whose queue is lost at each step; as a module, one whose Valkey dies and starts empty.

Its own process keeps what redis-py leaves of the connections to a dead server away from other tests.
"""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from infra.database import migrate
from infra.local import Servers
from subgraphs.ai.models import StepStatus
from subgraphs.ai.states import GenerationStatus
from subgraphs.books.models import BookStatus
from subgraphs.common import deliveries
from subgraphs.common.deliveries import DeliveryState
from subgraphs.domains import DOMAINS
from subgraphs.orders import repository as orders_repository
from subgraphs.orders.models import OfflinePayment
from subgraphs.orders.states import OrderStatus
from subgraphs.print import repository as print_repository
from subgraphs.print.models import OfflineShopJob
from subgraphs.print.service import submission
from tests.support.subgraph import build_settings
from tests.workers import generation_runs
from tests.workers.harness import read_deliveries, run_worker, wait_until
from tests.workers.paid_orders import create_paid_order
from workers.platform import Platform, open_platform
from workers.registry import load_tasks

SETTINGS = {"OFFLINE_PRINT_STEP_SECONDS": "0.3", "OFFLINE_WORDS_PER_SECOND": "2000"}
FINISHED = {GenerationStatus.COMPLETED, GenerationStatus.FAILED}
RESTARTS = 4
SHORT_TIMES = (
    (deliveries, "QUEUE_TIMEOUT", timedelta(seconds=0.5)),
    (deliveries, "_FIRST_PAUSE", timedelta(seconds=0.2)),
    (submission, "_CALL_TIMEOUT", timedelta(seconds=4)),
    (submission, "_ATTEMPT_INTERVAL", timedelta(seconds=5)),
)
LATER = {"orders.SettlePayment", "orders.ExpireOrder"}
"""Jobs that look after an order minutes after it was paid."""


@asynccontextmanager
async def lose_queue_at_each_change(
    read_state: Callable[[], Awaitable[object]], lose: Callable[[], Awaitable[None]]
) -> AsyncIterator[list[object]]:
    """Lose the queue whenever a state has changed; yield the states at which it was lost."""
    states: list[object] = []

    async def watch() -> None:
        while True:
            state = await read_state()
            if state not in states:
                states.append(state)
                await lose()
            await asyncio.sleep(0.01)

    watching = asyncio.create_task(watch())
    try:
        yield states
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def generate_book(
    environ: dict[str, str], platform: Platform, lose: Callable[[], Awaitable[None]]
) -> list[object]:
    """Generate a book while the queue is lost at each event, and check it; return the events."""
    draft = await generation_runs.create_draft_book(platform)
    generation_id = await generation_runs.queue_book(platform, draft)

    async def read_last_event() -> int:
        return (await generation_runs.read_generation(platform, generation_id)).last_sequence

    async def is_finished() -> bool:
        return (await generation_runs.read_generation(platform, generation_id)).status in FINISHED

    async with (
        run_worker(environ, platform),
        lose_queue_at_each_change(read_last_event, lose) as states,
    ):
        await wait_until(is_finished)
        await wait_until(lambda: is_nothing_due(platform))
    assert (
        await generation_runs.read_generation(platform, generation_id)
    ).status is GenerationStatus.COMPLETED
    steps = await generation_runs.read_steps(platform, generation_id)
    assert {step.status for step in steps} == {StepStatus.DONE}
    counts = generation_runs.count_kinds(await generation_runs.read_durable_events(platform, generation_id))
    assert (counts["PageWritten"], counts["IllustrationReady"], counts["GenerationCompleted"]) == (14, 15, 1)
    assert (await generation_runs.read_book(platform, draft.book_id)).status is BookStatus.READY
    return states


async def print_order(
    environ: dict[str, str], platform: Platform, lose: Callable[[], Awaitable[None]]
) -> list[object]:
    """Print a paid order while the queue is lost at each transition, and check it; return the transitions."""
    parent, paid = await create_paid_order(platform)

    async def read_state() -> object:
        async with platform.orders.database.read() as session:
            order = await orders_repository.get_order(session, parent.user_id, paid.id)
        async with platform.print.database.read() as session:
            jobs = await print_repository.load_jobs_of_orders(session, parent.user_id, [paid.id])
        return order.status, jobs[paid.id].status if jobs else None

    async def has_ended() -> bool:
        async with platform.orders.database.read() as session:
            order = await orders_repository.get_order(session, parent.user_id, paid.id)
        return order.status in {OrderStatus.SHIPPED, OrderStatus.PRINT_REJECTED}

    async with run_worker(environ, platform), lose_queue_at_each_change(read_state, lose) as states:
        await wait_until(has_ended)
        await wait_until(lambda: is_nothing_due(platform))
    async with platform.orders.database.read() as session:
        order = await orders_repository.get_order(session, parent.user_id, paid.id)
        charges = await session.scalars(select(OfflinePayment).where(OfflinePayment.order_id == paid.id))
        assert (order.status, len(charges.all())) == (OrderStatus.SHIPPED, 1)
        transitions = (await orders_repository.load_transitions_of_orders(session, [paid.id]))[paid.id]
    passed = [transition.status for transition in transitions]
    assert len(passed) == len(set(passed))
    async with platform.print.database.read() as session:
        job = (await print_repository.load_jobs_of_orders(session, parent.user_id, [paid.id]))[paid.id]
        printed = await session.scalars(select(OfflineShopJob).where(OfflineShopJob.external_id == job.id))
        assert len(printed.all()) == 1
    return states


async def is_nothing_due(platform: Platform) -> bool:
    """Whether no delivery waits, but for what comes later."""
    found = [delivery for domain in DOMAINS for delivery in await read_deliveries(platform, domain)]
    return not [
        delivery
        for delivery in found
        if delivery.state is DeliveryState.DUE and delivery.destination not in LATER
    ]


def restart_valkey_at_each_change() -> None:
    """Generate a book and print an order while Valkey is killed, and starts empty, at their first changes."""
    for module, name, time in SHORT_TIMES:
        setattr(module, name, time)
    load_tasks()
    with (
        tempfile.TemporaryDirectory(prefix="memorable-tests-") as folder,
        Servers(Path(folder), durable=False) as servers,
    ):
        migrate(servers.environ)
        asyncio.run(_generate_and_print(servers))


async def _generate_and_print(servers: Servers) -> None:
    environ, left = {**servers.environ, **SETTINGS}, RESTARTS

    async def restart() -> None:
        nonlocal left
        if left:
            left -= 1
            os.kill(servers.pids["valkey"], signal.SIGKILL)
            async with asyncio.timeout(60):
                while not servers.restart_crashed():  # noqa: ASYNC110 - a process ends
                    await asyncio.sleep(0.01)

    settings = {domain: build_settings(domain, environ) for domain in DOMAINS}
    async with open_platform(settings) as platform:
        await generate_book(environ, platform, restart)
        assert left == 0
        left = RESTARTS
        await print_order(environ, platform, restart)
        assert left == 0


if __name__ == "__main__":
    restart_valkey_at_each_change()
    sys.stdout.write("finished\n")
