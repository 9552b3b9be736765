"""A submitted job is followed to its end, and cancelled where there is still time."""

import asyncio
from datetime import timedelta

from subgraphs.common.ids import new_id
from subgraphs.common.runtime import Runtime
from subgraphs.print import service
from subgraphs.print.models import PrintJob
from subgraphs.print.providers.choice import choose_print_provider
from subgraphs.print.providers.protocol import ShopJob, ShopUnreachable
from subgraphs.print.states import PrintJobStatus
from tests.subgraphs.print.conftest import SteppingClock
from tests.subgraphs.print.jobs import DELIVERY, at_the_shop, cancel, checked, created, outbox, seen, statuses
from tests.subgraphs.print.shop import Shop

S = PrintJobStatus
OURS = [S.CREATED, S.PREFLIGHT, S.SUBMITTING, S.SUBMITTED]


async def submitted(runtime: Runtime) -> PrintJob:
    job = await checked(runtime)
    await service.submit_print_job(runtime, job.id, 1, DELIVERY)
    return await seen(runtime, job.id)


async def follow(runtime: Runtime, job_id: str) -> None:
    """Run the newest reconciliation that is waiting."""
    check = (await outbox(runtime, job_id, "print.ReconcilePrintJob"))[-1]["check"]
    await service.reconcile_print_job(runtime, job_id, check)


async def test_time_moves_a_job_through_the_shops_states(runtime: Runtime, clock: SteppingClock) -> None:
    job = await submitted(runtime)
    for _ in range(4):
        clock.go_on(seconds=10)
        await follow(runtime, job.id)
    assert await statuses(runtime, job.id) == [
        *OURS,
        S.PRODUCTION_DELAYED,
        S.PRODUCTION_READY,
        S.IN_PRODUCTION,
        S.SHIPPED,
    ]
    [at_shop] = await at_the_shop(runtime, job.id)
    shipment = (await seen(runtime, job.id)).shipment
    assert shipment is not None
    assert shipment["carrier"] == "Offline Parcel"
    assert shipment["tracking_url"].endswith(shipment["tracking_id"])
    assert shipment["shipped_at"] == (at_shop.accepted_at + timedelta(seconds=40)).isoformat()


async def test_each_step_is_told_once(runtime: Runtime, clock: SteppingClock) -> None:
    job = await submitted(runtime)
    for _ in range(12):
        clock.go_on(seconds=4)
        await follow(runtime, job.id)
    told = [event["status"] for event in await outbox(runtime, job.id, "print.PrintJobStatusChanged")]
    assert told == [status.value for status in await statuses(runtime, job.id)]
    assert len(told) == len(set(told)) == 8


async def test_nothing_is_asked_after_the_end(runtime: Runtime, clock: SteppingClock) -> None:
    job = await submitted(runtime)
    clock.go_on(seconds=100)
    await follow(runtime, job.id)
    assert await statuses(runtime, job.id) == [*OURS, S.SHIPPED]
    assert len(await outbox(runtime, job.id, "print.ReconcilePrintJob")) == 1


async def test_a_reconciliation_delivered_twice_does_not_fork(runtime: Runtime, clock: SteppingClock) -> None:
    job = await submitted(runtime)
    shop = choose_print_provider(runtime)
    clock.go_on(seconds=10)
    await asyncio.gather(*(service.reconcile_print_job(runtime, job.id, 1, provider=shop) for _ in range(4)))
    await service.reconcile_print_job(runtime, job.id, 1, provider=shop)
    waiting = await outbox(runtime, job.id, "print.ReconcilePrintJob")
    assert [message["check"] for message in waiting] == [1, 2]
    assert (await statuses(runtime, job.id)).count(S.PRODUCTION_DELAYED) == 1


async def test_a_late_answer_does_not_take_a_job_back(runtime: Runtime, clock: SteppingClock) -> None:
    job = await submitted(runtime)
    clock.go_on(seconds=30)
    await follow(runtime, job.id)

    class Late(Shop):
        async def get(self, reference: str) -> ShopJob:
            return ShopJob(reference, S.PRODUCTION_DELAYED)

    await service.reconcile_print_job(runtime, job.id, 2, provider=Late(runtime))
    assert (await seen(runtime, job.id)).status is S.IN_PRODUCTION


async def test_a_silent_shop_is_asked_again_later(runtime: Runtime, clock: SteppingClock) -> None:
    job = await submitted(runtime)

    class Silent(Shop):
        async def get(self, reference: str) -> ShopJob:
            raise ShopUnreachable("timed out")

    await service.reconcile_print_job(runtime, job.id, 1, provider=Silent(runtime))
    assert (await seen(runtime, job.id)).status is S.SUBMITTED
    clock.go_on(seconds=40)
    await follow(runtime, job.id)
    assert (await seen(runtime, job.id)).status is S.SHIPPED


async def test_a_job_that_the_shop_does_not_have_is_cancelled_here(runtime: Runtime) -> None:
    job = await created(runtime)
    await cancel(runtime, job.order_id)
    assert await service.begin_preflight(runtime, job.id) is None
    assert await statuses(runtime, job.id) == [S.CREATED, S.CANCELED]


async def test_a_job_cancelled_while_checked_is_not_submitted(runtime: Runtime) -> None:
    job = await checked(runtime)
    await cancel(runtime, job.order_id)
    await service.submit_print_job(runtime, job.id, 1, DELIVERY)
    assert await at_the_shop(runtime, job.id) == []
    assert (await seen(runtime, job.id)).status is S.CANCELED


async def test_the_shop_cancels_before_production(runtime: Runtime, clock: SteppingClock) -> None:
    job = await submitted(runtime)
    await cancel(runtime, job.order_id)
    clock.go_on(seconds=10)
    await follow(runtime, job.id)
    assert await statuses(runtime, job.id) == [*OURS, S.CANCELED]
    assert (await at_the_shop(runtime, job.id))[0].canceled_at == clock.now


async def test_a_job_in_production_is_printed_although_cancelled(
    runtime: Runtime, clock: SteppingClock
) -> None:
    job = await submitted(runtime)
    await cancel(runtime, job.order_id)
    clock.go_on(seconds=30)
    await follow(runtime, job.id)
    clock.go_on(seconds=10)
    await follow(runtime, job.id)
    assert await statuses(runtime, job.id) == [*OURS, S.IN_PRODUCTION, S.SHIPPED]


async def test_an_order_cancelled_before_its_payment_was_heard_of_is_not_printed(runtime: Runtime) -> None:
    order_id = new_id("ord")
    await cancel(runtime, order_id)
    job = await created(runtime, order_id=order_id)
    assert await service.begin_preflight(runtime, job.id) is None
    assert await statuses(runtime, job.id) == [S.CREATED, S.CANCELED]


async def test_payment_and_cancellation_may_arrive_at_the_same_time(runtime: Runtime) -> None:
    for _ in range(10):
        order_id = new_id("ord")
        job, _ = await asyncio.gather(created(runtime, order_id=order_id), cancel(runtime, order_id))
        assert await statuses(runtime, job.id) == [S.CREATED, S.CANCELED]
