"""A job is submitted to the print shop once, whatever fails between the platform and the shop."""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import pytest

from subgraphs.common.providers import ProviderNotConfigured
from subgraphs.common.runtime import Runtime
from subgraphs.print import repository, service
from subgraphs.print.providers.base import (
    PrintProvider,
    ShopJob,
    Submission,
)
from subgraphs.print.providers.registry import PROVIDERS
from subgraphs.print.states import PrintJobStatus
from tests.subgraphs.print.conftest import SteppingClock
from tests.subgraphs.print.jobs import (
    SHIPPING,
    cancel,
    create_checked_job,
    read_job,
    read_outbox,
    read_shop_jobs,
    read_statuses,
)
from tests.subgraphs.print.shop import Shop
from tests.support.providers import use_provider


@pytest.fixture
def shop(runtime: Runtime) -> Shop:
    return Shop(runtime)


async def submit(runtime: Runtime, shop: PrintProvider, job_id: str, attempt: int = 1) -> None:
    with use_provider(PROVIDERS, shop):
        await service.submit_print_job(runtime, job_id, attempt, SHIPPING)


async def test_a_checked_job_is_submitted_and_then_followed(runtime: Runtime, shop: Shop) -> None:
    job = await create_checked_job(runtime)
    assert await read_outbox(runtime, job.id, "print.SubmitPrintJob") == [
        {"print_job_id": job.id, "attempt": 1}
    ]
    await submit(runtime, shop, job.id)
    [accepted] = await read_shop_jobs(runtime, job.id)
    after = await read_job(runtime, job.id)
    assert (after.status, after.provider_reference) == (PrintJobStatus.SUBMITTED, accepted.reference)
    assert await read_outbox(runtime, job.id, "print.ReconcilePrintJob") == [
        {"print_job_id": job.id, "check": 1}
    ]


async def test_the_shop_receives_the_files_that_passed_preflight(
    runtime: Runtime, shop: Shop, servers: Mapping[str, str]
) -> None:
    job = await create_checked_job(runtime)
    await submit(runtime, shop, job.id)
    [sent] = shop.received
    assert (sent.external_id, sent.pod_package_id) == (job.id, "0850X0850.FC.PRE.CW.080CW444.MXX")
    assert (sent.quantity, sent.address.country_code) == (1, "GB")
    address, _, signature = sent.interior_url.partition("?")
    assert address.endswith(f"/{job.snapshot_id}/interior.pdf")
    expires, signed = (part.partition("=")[2] for part in signature.split("&"))
    assert runtime.storage.verify(f"{job.snapshot_id}/interior.pdf", expires, signed, runtime.clock())


async def test_submitting_is_committed_before_the_call(runtime: Runtime) -> None:
    job = await create_checked_job(runtime)
    during: list[PrintJobStatus] = []

    class Watching(Shop):
        async def submit(self, submission: Submission) -> ShopJob:
            during.append((await read_job(runtime, submission.external_id)).status)
            return await super().submit(submission)

    await submit(runtime, Watching(runtime), job.id)
    assert during == [PrintJobStatus.SUBMITTING]


async def test_a_job_that_is_delivered_twice_is_submitted_once(runtime: Runtime, shop: Shop) -> None:
    job = await create_checked_job(runtime)
    await submit(runtime, shop, job.id)
    await submit(runtime, shop, job.id)
    assert len(await read_shop_jobs(runtime, job.id)) == 1


async def test_concurrent_workers_submit_a_job_once(runtime: Runtime, shop: Shop) -> None:
    job = await create_checked_job(runtime)
    with use_provider(PROVIDERS, shop):
        await asyncio.gather(*(service.submit_print_job(runtime, job.id, 1, SHIPPING) for _ in range(8)))
    assert len(await read_shop_jobs(runtime, job.id)) == 1
    assert (await read_statuses(runtime, job.id)).count(PrintJobStatus.SUBMITTED) == 1


async def test_a_connection_that_drops_after_acceptance_leaves_one_job(runtime: Runtime, shop: Shop) -> None:
    job = await create_checked_job(runtime)
    shop.answers = False
    await submit(runtime, shop, job.id)
    assert (await read_job(runtime, job.id)).status is PrintJobStatus.SUBMITTING
    assert (await read_outbox(runtime, job.id, "print.SubmitPrintJob"))[-1]["attempt"] == 2

    shop.answers = True
    await submit(runtime, shop, job.id, attempt=2)
    [accepted] = await read_shop_jobs(runtime, job.id)
    after = await read_job(runtime, job.id)
    assert (after.status, after.provider_reference) == (PrintJobStatus.SUBMITTED, accepted.reference)


async def test_a_call_that_never_arrived_is_repeated(runtime: Runtime, shop: Shop) -> None:
    job = await create_checked_job(runtime)
    shop.accepts = shop.answers = False
    await submit(runtime, shop, job.id)
    await submit(runtime, shop, job.id, attempt=2)
    assert await read_shop_jobs(runtime, job.id) == []
    shop.accepts = shop.answers = True
    await submit(runtime, shop, job.id, attempt=3)
    assert len(await read_shop_jobs(runtime, job.id)) == 1
    assert (await read_job(runtime, job.id)).status is PrintJobStatus.SUBMITTED


async def test_a_worker_killed_after_the_shop_accepted_leaves_one_job(
    runtime: Runtime, shop: Shop, servers: Mapping[str, str]
) -> None:
    job = await create_checked_job(runtime)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.subgraphs.print.dying_worker",
        job.id,
        env={**os.environ, **servers},
    )
    assert await process.wait() == -9
    assert (await read_job(runtime, job.id)).status is PrintJobStatus.SUBMITTING
    assert len(await read_shop_jobs(runtime, job.id)) == 1

    await submit(runtime, shop, job.id)
    await submit(runtime, shop, job.id, attempt=2)
    [accepted] = await read_shop_jobs(runtime, job.id)
    after = await read_job(runtime, job.id)
    assert (after.status, after.provider_reference) == (PrintJobStatus.SUBMITTED, accepted.reference)


async def test_a_job_whose_shop_is_not_configured_waits_for_it(runtime: Runtime, shop: Shop) -> None:
    job = await create_checked_job(runtime)
    async with runtime.unit_of_work() as uow:
        (await repository.lock_any_job(uow.session, job.id)).provider = "elsewhere"

    with pytest.raises(ProviderNotConfigured, match="The print shop 'elsewhere' is not configured"):
        await submit(runtime, shop, job.id)
    waiting = await read_job(runtime, job.id)
    assert (waiting.status, waiting.attempts) == (PrintJobStatus.PREFLIGHT, 0)
    assert shop.received == []

    with use_provider(PROVIDERS, shop, "elsewhere"), use_provider(PROVIDERS, UnusedShop(runtime)):
        await service.submit_print_job(runtime, job.id, 1, SHIPPING)
        await service.reconcile_print_job(runtime, job.id, 1)
    assert [submission.external_id for submission in shop.received] == [job.id]


class UnusedShop(Shop):
    """A shop that nothing may be sent to or asked of."""

    async def submit(self, submission: Submission) -> ShopJob:
        raise AssertionError(submission)

    async def get(self, reference: str) -> ShopJob:
        raise AssertionError(reference)


async def read_delays(runtime: Runtime, job_id: str, clock: SteppingClock) -> dict[int, float | None]:
    """The seconds from now until each attempt is due."""
    table = runtime.metadata.tables["print.outbox"]
    async with runtime.database.read() as session:
        rows = await session.execute(table.select().where(table.c.name == "print.SubmitPrintJob"))
        return {
            row.payload["attempt"]: row.not_before and (row.not_before - clock.now).total_seconds()
            for row in rows
            if row.payload["print_job_id"] == job_id
        }


async def test_the_next_attempt_is_scheduled_after_the_longest_possible_call(
    runtime: Runtime, shop: Shop, clock: SteppingClock
) -> None:
    job = await create_checked_job(runtime)
    await submit(runtime, shop, job.id)
    assert await read_delays(runtime, job.id, clock) == {1: None, 2: 60}


async def test_a_shop_that_stays_unreachable_is_tried_less_and_less_often(
    runtime: Runtime, shop: Shop, clock: SteppingClock
) -> None:
    job = await create_checked_job(runtime)
    shop.accepts = shop.answers = False
    for attempt in range(1, 10):
        await submit(runtime, shop, job.id, attempt)
    delays = await read_delays(runtime, job.id, clock)
    assert [delays[attempt] for attempt in range(2, 11)] == [60, 120, 240, 480, 960, 1920, 3840, 3840, 3840]


async def test_a_worker_that_was_paused_after_its_commit_does_not_call_the_shop(
    runtime: Runtime, shop: Shop, clock: SteppingClock
) -> None:
    job = await create_checked_job(runtime)

    def jump() -> datetime:
        """Tell the time, and let half a minute pass until the next call."""
        clock.advance(seconds=31)
        return clock.now

    await submit(replace(runtime, clock=jump), shop, job.id)
    assert shop.received == []
    paused = await read_job(runtime, job.id)
    assert (paused.status, paused.attempts) == (PrintJobStatus.SUBMITTING, 1)
    await submit(runtime, shop, job.id, attempt=2)
    assert len(await read_shop_jobs(runtime, job.id)) == 1


async def test_a_worker_that_was_paused_after_it_searched_the_shop_does_not_submit(
    runtime: Runtime, shop: Shop, clock: SteppingClock
) -> None:
    job = await create_checked_job(runtime)

    class PausedAfterSearch(Shop):
        async def find(self, external_id: str) -> ShopJob | None:
            found = await super().find(external_id)
            clock.advance(seconds=31)
            return found

    shop.accepts = shop.answers = False
    await submit(runtime, shop, job.id)
    paused = PausedAfterSearch(runtime)
    await submit(runtime, paused, job.id, attempt=2)
    assert paused.received == []
    shop.accepts = shop.answers = True
    await submit(runtime, shop, job.id, attempt=3)
    assert len(await read_shop_jobs(runtime, job.id)) == 1


async def test_a_refusal_ends_the_job_with_its_reason(runtime: Runtime, shop: Shop) -> None:
    job = await create_checked_job(runtime)
    shop.accepts = False
    await submit(runtime, shop, job.id)
    await submit(runtime, shop, job.id, attempt=2)
    assert len(shop.received) == 1
    assert (await read_job(runtime, job.id)).status is PrintJobStatus.REJECTED
    events = await read_outbox(runtime, job.id, "print.PrintJobStatusChanged")
    assert events[-1] == {
        "print_job_id": job.id,
        "order_id": job.order_id,
        "status": "REJECTED",
        "message": "We do not print this.",
    }


async def test_a_job_that_is_cancelled_between_two_attempts_is_not_submitted(
    runtime: Runtime, shop: Shop
) -> None:
    job = await create_checked_job(runtime)
    shop.accepts = shop.answers = False
    await submit(runtime, shop, job.id)
    await cancel(runtime, job.order_id)

    shop.accepts = shop.answers = True
    await submit(runtime, shop, job.id, attempt=2)
    assert await read_shop_jobs(runtime, job.id) == []
    assert (await read_statuses(runtime, job.id))[-1] is PrintJobStatus.CANCELLED
    await submit(runtime, shop, job.id, attempt=3)
    assert await read_shop_jobs(runtime, job.id) == []


async def test_a_cancelled_job_that_the_shop_has_accepted_is_cancelled_there(
    runtime: Runtime, shop: Shop
) -> None:
    job = await create_checked_job(runtime)
    shop.answers = False
    await submit(runtime, shop, job.id)
    await cancel(runtime, job.order_id)
    shop.answers = True
    await submit(runtime, shop, job.id, attempt=2)
    assert (await read_job(runtime, job.id)).status is PrintJobStatus.SUBMITTED
    await service.reconcile_print_job(runtime, job.id, 1)
    [at_shop] = await read_shop_jobs(runtime, job.id)
    assert at_shop.cancelled_at is not None
    assert (await read_job(runtime, job.id)).status is PrintJobStatus.CANCELLED
