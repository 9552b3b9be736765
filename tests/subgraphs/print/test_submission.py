"""A job reaches the print shop once, whatever happens between us and the shop."""

import asyncio
import os
import sys
from collections.abc import Mapping

import pytest

from subgraphs.common.runtime import Runtime
from subgraphs.print import service
from subgraphs.print.providers.protocol import (
    PrintProvider,
    ShopJob,
    Submission,
)
from subgraphs.print.states import PrintJobStatus
from tests.subgraphs.print.conftest import SteppingClock
from tests.subgraphs.print.jobs import DELIVERY, at_the_shop, checked, outbox, seen, statuses
from tests.subgraphs.print.shop import Shop


@pytest.fixture
def shop(runtime: Runtime) -> Shop:
    return Shop(runtime)


async def submit(runtime: Runtime, shop: PrintProvider, job_id: str, attempt: int = 1) -> None:
    await service.submit_print_job(runtime, job_id, attempt, DELIVERY, provider=shop)


async def test_a_checked_job_is_submitted_and_then_followed(runtime: Runtime, shop: Shop) -> None:
    job = await checked(runtime)
    assert await outbox(runtime, job.id, "print.SubmitPrintJob") == [{"print_job_id": job.id, "attempt": 1}]
    await submit(runtime, shop, job.id)
    [accepted] = await at_the_shop(runtime, job.id)
    after = await seen(runtime, job.id)
    assert (after.status, after.provider_reference) == (PrintJobStatus.SUBMITTED, accepted.reference)
    assert await outbox(runtime, job.id, "print.ReconcilePrintJob") == [{"print_job_id": job.id, "check": 1}]


async def test_the_shop_is_sent_what_was_checked(
    runtime: Runtime, shop: Shop, servers: Mapping[str, str]
) -> None:
    job = await checked(runtime)
    await submit(runtime, shop, job.id)
    [sent] = shop.received
    assert (sent.external_id, sent.pod_package_id) == (job.id, "0850X0850.FC.PRE.CW.080CW444.MXX")
    assert (sent.quantity, sent.recipient.country_code) == (1, "GB")
    address, _, signature = sent.interior_url.partition("?")
    assert address.endswith(f"/{job.snapshot_id}/interior.pdf")
    expires, signed = (part.partition("=")[2] for part in signature.split("&"))
    assert runtime.storage.verify(f"{job.snapshot_id}/interior.pdf", expires, signed, runtime.clock())


async def test_submitting_is_committed_before_the_call(runtime: Runtime) -> None:
    job = await checked(runtime)
    during: list[PrintJobStatus] = []

    class Watching(Shop):
        async def submit(self, submission: Submission) -> ShopJob:
            during.append((await seen(runtime, submission.external_id)).status)
            return await super().submit(submission)

    await submit(runtime, Watching(runtime), job.id)
    assert during == [PrintJobStatus.SUBMITTING]


async def test_a_job_delivered_twice_is_submitted_once(runtime: Runtime, shop: Shop) -> None:
    job = await checked(runtime)
    await submit(runtime, shop, job.id)
    await submit(runtime, shop, job.id)
    assert len(await at_the_shop(runtime, job.id)) == 1


async def test_two_workers_at_once_submit_once(runtime: Runtime, shop: Shop) -> None:
    job = await checked(runtime)
    await asyncio.gather(*(submit(runtime, shop, job.id) for _ in range(8)))
    assert len(await at_the_shop(runtime, job.id)) == 1
    assert (await statuses(runtime, job.id)).count(PrintJobStatus.SUBMITTED) == 1


async def test_a_connection_that_drops_after_acceptance_leaves_one_job(runtime: Runtime, shop: Shop) -> None:
    job = await checked(runtime)
    shop.answers = False
    await submit(runtime, shop, job.id)
    assert (await seen(runtime, job.id)).status is PrintJobStatus.SUBMITTING
    assert (await outbox(runtime, job.id, "print.SubmitPrintJob"))[-1]["attempt"] == 2

    shop.answers = True
    await submit(runtime, shop, job.id, attempt=2)
    [accepted] = await at_the_shop(runtime, job.id)
    after = await seen(runtime, job.id)
    assert (after.status, after.provider_reference) == (PrintJobStatus.SUBMITTED, accepted.reference)


async def test_a_call_that_never_arrived_is_made_again(runtime: Runtime, shop: Shop) -> None:
    job = await checked(runtime)
    shop.accepts = shop.answers = False
    await submit(runtime, shop, job.id)
    await submit(runtime, shop, job.id, attempt=2)
    assert await at_the_shop(runtime, job.id) == []
    shop.accepts = shop.answers = True
    await submit(runtime, shop, job.id, attempt=3)
    assert len(await at_the_shop(runtime, job.id)) == 1
    assert (await seen(runtime, job.id)).status is PrintJobStatus.SUBMITTED


async def test_a_worker_killed_after_the_shop_accepted_leaves_one_job(
    runtime: Runtime, shop: Shop, servers: Mapping[str, str]
) -> None:
    job = await checked(runtime)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.subgraphs.print.dying_worker",
        job.id,
        env={**os.environ, **servers},
    )
    assert await process.wait() == -9
    assert (await seen(runtime, job.id)).status is PrintJobStatus.SUBMITTING
    assert len(await at_the_shop(runtime, job.id)) == 1

    await submit(runtime, shop, job.id)
    await submit(runtime, shop, job.id, attempt=2)
    [accepted] = await at_the_shop(runtime, job.id)
    after = await seen(runtime, job.id)
    assert (after.status, after.provider_reference) == (PrintJobStatus.SUBMITTED, accepted.reference)


async def test_the_next_attempt_is_left_for_later_than_a_call_can_last(
    runtime: Runtime, shop: Shop, clock: SteppingClock
) -> None:
    job = await checked(runtime)
    await submit(runtime, shop, job.id)
    table = runtime.metadata.tables["print.outbox"]
    async with runtime.database.read() as session:
        rows = await session.execute(table.select().where(table.c.name == "print.SubmitPrintJob"))
        due = {
            row.payload["attempt"]: row.not_before for row in rows if row.payload["print_job_id"] == job.id
        }
    assert due[1] is None
    assert (due[2] - clock.now).total_seconds() == 60


async def test_a_refusal_ends_the_job_with_its_reason(runtime: Runtime, shop: Shop) -> None:
    job = await checked(runtime)
    shop.accepts = False
    await submit(runtime, shop, job.id)
    await submit(runtime, shop, job.id, attempt=2)
    assert len(shop.received) == 1
    assert (await seen(runtime, job.id)).status is PrintJobStatus.REJECTED
    events = await outbox(runtime, job.id, "print.PrintJobStatusChanged")
    assert events[-1] == {
        "print_job_id": job.id,
        "order_id": job.order_id,
        "status": "REJECTED",
        "message": "We do not print this.",
    }
