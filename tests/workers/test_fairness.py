"""Fairness between parents, with real books: nobody waits for all the books of another."""

from functools import partial

import pytest
from arq.connections import ArqRedis

from subgraphs.ai.providers.registry import ILLUSTRATORS, WRITERS
from subgraphs.ai.states import GenerationStatus
from subgraphs.orders import repository
from subgraphs.orders.states import OrderStatus
from tests.support.providers import use_provider
from tests.support.studio import RecordingStudio
from tests.workers import generation_runs
from tests.workers.harness import run_worker, wait_until
from tests.workers.paid_orders import create_paid_order
from workers import queues
from workers.platform import Platform
from workers.registry import load_tasks

# arq calls the deprecated name when it closes its pool.
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated close:DeprecationWarning")
BOOKS = 24
TIMEOUT_SECONDS = 180.0
load_tasks()


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return {**environ, "OFFLINE_PRINT_STEP_SECONDS": "0.1"}


async def list_starts(platform: Platform, generation_ids: list[str]) -> list[str]:
    """The generations in the order in which they started."""
    starts = []
    for generation_id in generation_ids:
        events = await generation_runs.read_durable_events(platform, generation_id)
        starts += [(event.at, generation_id) for event in events if event.kind == "GenerationStarted"]
    return [generation_id for _, generation_id in sorted(starts)]


async def test_a_parent_with_many_books_delays_anothers_book_by_one_and_anothers_order_not_at_all(
    environ: dict[str, str], platform: Platform, queue: ArqRedis
) -> None:
    del queue
    first = await generation_runs.create_draft_book(platform, "Ada")
    many = [await generation_runs.queue_book(platform, first)]
    for _ in range(BOOKS - 1):
        draft = await generation_runs.create_draft_book(platform, "Ada", first.parent)
        many.append(await generation_runs.queue_book(platform, draft))
    other = await generation_runs.queue_book(
        platform, await generation_runs.create_draft_book(platform, "Ben")
    )
    parent, paid = await create_paid_order(platform)

    async def is_done(generation_id: str) -> bool:
        generation = await generation_runs.read_generation(platform, generation_id)
        return generation.status is GenerationStatus.COMPLETED

    async def is_shipped() -> bool:
        async with platform.orders.database.read() as session:
            order = await repository.get_order(session, parent.user_id, paid.id)
        return order.status is OrderStatus.SHIPPED

    studio = RecordingStudio()
    with use_provider(WRITERS, studio), use_provider(ILLUSTRATORS, studio):
        async with run_worker(environ, platform):
            await wait_until(is_shipped, TIMEOUT_SECONDS)
            unfinished = [each for each in many if not await is_done(each)]
            await wait_until(partial(is_done, other), TIMEOUT_SECONDS)
            for generation_id in many:
                await wait_until(partial(is_done, generation_id), TIMEOUT_SECONDS)
    starts = await list_starts(platform, [*many, other])
    assert len(starts) == BOOKS + 1
    # All slots are taken by the first parent's books at most once before the other's turn.
    assert starts.index(other) <= queues.CONCURRENCY["ai"]
    assert unfinished
