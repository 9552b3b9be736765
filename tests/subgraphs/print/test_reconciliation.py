"""Reconciliation of submitted jobs with the shop, and cancellation."""

import asyncio
from datetime import timedelta

from sqlalchemy import func, select

from subgraphs.common import webhooks
from subgraphs.common.ids import new_id
from subgraphs.common.runtime import Runtime
from subgraphs.print import service
from subgraphs.print.models import PrintJob
from subgraphs.print.providers.base import ShopJob, ShopUnreachable
from subgraphs.print.providers.registry import PROVIDERS
from subgraphs.print.states import PrintJobStatus
from subgraphs.print.webhooks import SOURCES
from tests.subgraphs.print.conftest import WEBHOOK_SECRET, SteppingClock
from tests.subgraphs.print.jobs import (
    SHIPPING,
    cancel,
    create_checked_job,
    create_job,
    read_history,
    read_job,
    read_outbox,
    read_shop_jobs,
    read_statuses,
)
from tests.subgraphs.print.shop import Shop
from tests.support.providers import use_provider
from tests.support.webhooks import build_event, sign

S = PrintJobStatus
OURS = [S.CREATED, S.PREFLIGHT, S.SUBMITTING, S.SUBMITTED]


async def create_submitted_job(runtime: Runtime) -> PrintJob:
    job = await create_checked_job(runtime)
    await service.submit_print_job(runtime, job.id, 1, SHIPPING)
    return await read_job(runtime, job.id)


async def run_reconciliation(runtime: Runtime, job_id: str) -> None:
    """Run the newest reconciliation in the outbox."""
    check = (await read_outbox(runtime, job_id, "print.ReconcilePrintJob"))[-1]["check"]
    await service.reconcile_print_job(runtime, job_id, check)


async def test_time_moves_a_job_through_the_shops_states(runtime: Runtime, clock: SteppingClock) -> None:
    job = await create_submitted_job(runtime)
    for _ in range(4):
        clock.advance(seconds=10)
        await run_reconciliation(runtime, job.id)
    assert await read_statuses(runtime, job.id) == [
        *OURS,
        S.PRODUCTION_DELAYED,
        S.PRODUCTION_READY,
        S.IN_PRODUCTION,
        S.SHIPPED,
    ]
    [at_shop] = await read_shop_jobs(runtime, job.id)
    shipment = (await read_job(runtime, job.id)).shipment
    assert shipment is not None
    assert shipment["carrier"] == "Offline Parcel"
    assert shipment["tracking_url"].endswith(shipment["tracking_id"])
    assert shipment["shipped_at"] == (at_shop.accepted_at + timedelta(seconds=40)).isoformat()


async def test_each_step_is_announced_once(runtime: Runtime, clock: SteppingClock) -> None:
    job = await create_submitted_job(runtime)
    for _ in range(12):
        clock.advance(seconds=4)
        await run_reconciliation(runtime, job.id)
    announced = [
        event["status"] for event in await read_outbox(runtime, job.id, "print.PrintJobStatusChanged")
    ]
    assert announced == [status.value for status in await read_statuses(runtime, job.id)]
    assert len(announced) == len(set(announced)) == 8


async def test_a_finished_job_is_not_polled(runtime: Runtime, clock: SteppingClock) -> None:
    job = await create_submitted_job(runtime)
    clock.advance(seconds=100)
    await run_reconciliation(runtime, job.id)
    assert await read_statuses(runtime, job.id) == [*OURS, S.SHIPPED]
    assert len(await read_outbox(runtime, job.id, "print.ReconcilePrintJob")) == 1


async def test_a_reconciliation_that_is_delivered_twice_continues_once(
    runtime: Runtime, clock: SteppingClock
) -> None:
    job = await create_submitted_job(runtime)
    clock.advance(seconds=10)
    await asyncio.gather(*(service.reconcile_print_job(runtime, job.id, 1) for _ in range(4)))
    await service.reconcile_print_job(runtime, job.id, 1)
    waiting = await read_outbox(runtime, job.id, "print.ReconcilePrintJob")
    assert [message["check"] for message in waiting] == [1, 2]
    assert (await read_statuses(runtime, job.id)).count(S.PRODUCTION_DELAYED) == 1


async def test_a_late_answer_does_not_move_a_job_back(runtime: Runtime, clock: SteppingClock) -> None:
    job = await create_submitted_job(runtime)
    clock.advance(seconds=30)
    await run_reconciliation(runtime, job.id)

    class Late(Shop):
        async def get(self, reference: str) -> ShopJob:
            return ShopJob(reference, S.PRODUCTION_DELAYED)

    with use_provider(PROVIDERS, Late(runtime)):
        await service.reconcile_print_job(runtime, job.id, 2)
    assert (await read_job(runtime, job.id)).status is S.IN_PRODUCTION


async def test_an_unreachable_shop_is_polled_again_later(runtime: Runtime, clock: SteppingClock) -> None:
    job = await create_submitted_job(runtime)

    class Silent(Shop):
        async def get(self, reference: str) -> ShopJob:
            raise ShopUnreachable("timed out")

    with use_provider(PROVIDERS, Silent(runtime)):
        await service.reconcile_print_job(runtime, job.id, 1)
    assert (await read_job(runtime, job.id)).status is S.SUBMITTED
    clock.advance(seconds=40)
    await run_reconciliation(runtime, job.id)
    assert (await read_job(runtime, job.id)).status is S.SHIPPED


async def test_a_job_unknown_to_the_shop_is_cancelled(runtime: Runtime) -> None:
    job = await create_job(runtime)
    await cancel(runtime, job.order_id)
    assert await service.begin_preflight(runtime, job.id) is None
    assert await read_statuses(runtime, job.id) == [S.CREATED, S.CANCELLED]


async def test_a_job_cancelled_after_preflight_is_not_submitted(runtime: Runtime) -> None:
    job = await create_checked_job(runtime)
    await cancel(runtime, job.order_id)
    await service.submit_print_job(runtime, job.id, 1, SHIPPING)
    assert await read_shop_jobs(runtime, job.id) == []
    assert (await read_job(runtime, job.id)).status is S.CANCELLED


async def test_a_submitted_job_is_cancelled_before_production(runtime: Runtime, clock: SteppingClock) -> None:
    job = await create_submitted_job(runtime)
    await cancel(runtime, job.order_id)
    clock.advance(seconds=10)
    await run_reconciliation(runtime, job.id)
    assert await read_statuses(runtime, job.id) == [*OURS, S.CANCELLED]
    assert (await read_shop_jobs(runtime, job.id))[0].cancelled_at == clock.now


async def test_the_shop_is_asked_to_cancel_at_once(runtime: Runtime, clock: SteppingClock) -> None:
    job = await create_submitted_job(runtime)
    clock.advance(seconds=10)
    await run_reconciliation(runtime, job.id)
    clock.advance(seconds=1)
    await cancel(runtime, job.order_id)
    for check in await read_due_checks(runtime, job.id):
        await service.reconcile_print_job(runtime, job.id, check)
    clock.advance(seconds=9)
    await run_reconciliation(runtime, job.id)
    assert await read_statuses(runtime, job.id) == [*OURS, S.PRODUCTION_DELAYED, S.CANCELLED]


async def read_due_checks(runtime: Runtime, job_id: str) -> list[int]:
    """Read the numbers of the reconciliations in the outbox whose time has come."""
    table = runtime.metadata.tables["print.outbox"]
    async with runtime.database.read() as session:
        rows = await session.execute(
            select(table.c.payload)
            .where(
                table.c.name == "print.ReconcilePrintJob",
                table.c.payload["print_job_id"].astext == job_id,
                func.coalesce(table.c.not_before, runtime.clock()) <= runtime.clock(),
            )
            .order_by(table.c.id)
        )
        return [row.payload["check"] for row in rows]


async def test_a_job_in_production_is_printed_although_cancelled(
    runtime: Runtime, clock: SteppingClock
) -> None:
    job = await create_submitted_job(runtime)
    await cancel(runtime, job.order_id)
    clock.advance(seconds=30)
    await run_reconciliation(runtime, job.id)
    clock.advance(seconds=10)
    await run_reconciliation(runtime, job.id)
    assert await read_statuses(runtime, job.id) == [*OURS, S.IN_PRODUCTION, S.SHIPPED]


async def test_an_order_cancelled_before_its_payment_event_is_not_printed(runtime: Runtime) -> None:
    order_id = new_id("ord")
    await cancel(runtime, order_id)
    job = await create_job(runtime, order_id=order_id)
    assert await service.begin_preflight(runtime, job.id) is None
    assert await read_statuses(runtime, job.id) == [S.CREATED, S.CANCELLED]


async def test_payment_and_cancellation_may_arrive_at_the_same_time(runtime: Runtime) -> None:
    for _ in range(10):
        order_id = new_id("ord")
        job, _ = await asyncio.gather(create_job(runtime, order_id=order_id), cancel(runtime, order_id))
        assert await read_statuses(runtime, job.id) == [S.CREATED, S.CANCELLED]


async def send_event(runtime: Runtime, reference: str) -> str:
    """Receive an event about the shop's job; return the id of its receipt."""
    event_id = new_id("evt")
    body = build_event(event_id, "print_job.updated", reference)
    headers = {webhooks.SIGNATURE_HEADER: sign(body, WEBHOOK_SECRET, runtime.clock())}
    await webhooks.receive(runtime, SOURCES["offline-print"], headers, body)
    async with runtime.database.read() as session:
        receipts = await webhooks.list_receipts(session, runtime.domain.get_table("webhook_receipts"), 1000)
    [receipt_id] = [receipt.id for receipt in receipts if receipt.event_id == event_id]
    return receipt_id


async def test_a_webhook_reconciles_a_job_before_its_next_check(
    runtime: Runtime, clock: SteppingClock
) -> None:
    job = await create_submitted_job(runtime)
    clock.advance(seconds=40)
    assert job.provider_reference is not None
    await service.handle_shop_event(runtime, await send_event(runtime, job.provider_reference))
    assert (await read_statuses(runtime, job.id))[-1] is S.SHIPPED
    before = await read_history(runtime, job.id)
    await run_reconciliation(runtime, job.id)
    assert len(await read_history(runtime, job.id)) == len(before)


async def test_webhooks_about_one_job_at_the_same_time_make_one_chain_of_checks(
    runtime: Runtime, clock: SteppingClock
) -> None:
    job = await create_submitted_job(runtime)
    clock.advance(seconds=10)
    assert job.provider_reference is not None
    receipts = [await send_event(runtime, job.provider_reference) for _ in range(3)]
    await asyncio.gather(*(service.handle_shop_event(runtime, receipt) for receipt in receipts))
    checks = [each["check"] for each in await read_outbox(runtime, job.id, "print.ReconcilePrintJob")]
    assert checks == sorted(set(checks))


async def test_a_webhook_about_an_unknown_or_a_finished_job_changes_nothing(
    runtime: Runtime, clock: SteppingClock
) -> None:
    await service.handle_shop_event(runtime, await send_event(runtime, "shop_unknown"))
    job = await create_submitted_job(runtime)
    clock.advance(seconds=100)
    await run_reconciliation(runtime, job.id)
    assert job.provider_reference is not None
    await service.handle_shop_event(runtime, await send_event(runtime, job.provider_reference))
    assert len(await read_outbox(runtime, job.id, "print.ReconcilePrintJob")) == 1
