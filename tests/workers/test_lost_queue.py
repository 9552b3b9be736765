"""Valkey loses all data at each step of a book and of an order: they finish, and nothing happens twice."""

import asyncio
import os
import sys

import pytest
from arq.connections import ArqRedis

from subgraphs.common.deliveries import DeliveryState
from tests.workers.harness import ROOT, read_deliveries
from tests.workers.lost_queue import SETTINGS, SHORT_TIMES, generate_book, print_order
from workers.platform import Platform
from workers.registry import load_tasks

# arq calls the deprecated name when it closes its pool.
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated close:DeprecationWarning")
load_tasks()


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return {**environ, **SETTINGS}


@pytest.fixture(autouse=True)
def short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name, time in SHORT_TIMES:
        monkeypatch.setattr(module, name, time)


async def test_a_book_finishes_though_the_queue_is_flushed_at_each_of_its_events(
    environ: dict[str, str], platform: Platform, queue: ArqRedis
) -> None:
    async def flush() -> None:
        await queue.flushdb()

    assert len(await generate_book(environ, platform, flush)) > 20
    found = await read_deliveries(platform, "ai")
    assert [(each.state, each.attempts) for each in found if each.destination == "ai.GenerateBook"] == [
        (DeliveryState.DONE, 1)
    ]


async def test_an_order_finishes_though_the_queue_is_flushed_at_each_of_its_transitions(
    environ: dict[str, str], platform: Platform, queue: ArqRedis
) -> None:
    async def flush() -> None:
        await queue.flushdb()

    assert len(await print_order(environ, platform, flush)) >= 4


async def test_a_book_and_an_order_finish_though_valkey_is_killed_and_starts_empty() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.workers.lost_queue"),
        cwd=ROOT,
        env=dict(os.environ),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(180):
            output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert output.decode().endswith("finished\n"), errors.decode()[-5000:]
