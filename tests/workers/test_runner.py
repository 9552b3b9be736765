"""The runner: a delivery belongs to one worker at a time, and is tried until it succeeds or is parked."""

import asyncio
import signal
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from arq.connections import ArqRedis
from sqlalchemy import func, update

from subgraphs.common import deliveries
from subgraphs.common.clock import utc_now
from subgraphs.common.deliveries import MAX_ATTEMPTS, Delivery, DeliveryState
from subgraphs.common.draining import Drained
from subgraphs.common.errors import Conflict, DependencyFailed
from subgraphs.common.telemetry import get_trace_id, start_trace
from subgraphs.common.tracing import record_spans
from subgraphs.domains import DOMAINS
from tests.support.deliveries import build_delivery_row
from tests.support.otlp_collector import Collector
from tests.support.serving import serve_app
from tests.workers.harness import (
    HoldStill,
    build_registry,
    enqueue,
    read_deliveries,
    run_worker,
    run_worker_process,
    wait_until,
)
from workers import queues
from workers.arq_worker import create_worker
from workers.platform import Platform
from workers.registry import Handler, Registry, ScheduledJob
from workers.runner import Runner

# arq calls the deprecated name when it closes its pool.
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated close:DeprecationWarning")
TABLE = DOMAINS["print"].get_table("deliveries")


class Recorder:
    """A handler that records its calls and blocks each of them until it is released."""

    def __init__(self) -> None:
        self.calls: list[Delivery] = []
        self.cancelled: list[Delivery] = []
        self.traces: list[str] = []
        self.failures: list[Exception] = []
        self.called = asyncio.Event()
        self.released = asyncio.Event()

    async def __call__(self, platform: Platform, delivery: Delivery) -> None:
        self.calls.append(delivery)
        self.traces.append(get_trace_id())
        self.called.set()
        if self.failures:
            raise self.failures.pop(0)
        try:
            await self.released.wait()
        except asyncio.CancelledError:
            self.cancelled.append(delivery)
            raise


@pytest.fixture
def handler() -> Recorder:
    return Recorder()


@pytest.fixture
def registry(handler: Recorder) -> Registry:
    return build_registry(handler)


@pytest.fixture(autouse=True)
def short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "LEASE", timedelta(seconds=2))
    monkeypatch.setattr(deliveries, "_FIRST_PAUSE", timedelta(milliseconds=1))
    monkeypatch.setattr(deliveries, "_MAX_PAUSE", timedelta(milliseconds=1))
    monkeypatch.setattr("workers.runner._RENEWAL_SECONDS", 0.2)


async def read_only_delivery(platform: Platform) -> Delivery:
    [delivery] = await read_deliveries(platform)
    return delivery


async def wait_for_state(platform: Platform, state: DeliveryState) -> Delivery:
    async def has_state() -> bool:
        found = await read_deliveries(platform)
        return bool(found) and all(delivery.state is state for delivery in found)

    await wait_until(has_state)
    return (await read_deliveries(platform))[0]


async def test_a_job_carries_its_payload_and_trace(
    environ: dict[str, str], platform: Platform, queue: ArqRedis, handler: Recorder, registry: Registry
) -> None:
    handler.released.set()
    async with run_worker(environ, platform, registry):
        await enqueue(platform, 1)
        done = await wait_for_state(platform, DeliveryState.DONE)
    assert HoldStill.read(handler.calls[0].payload) == HoldStill(1)
    assert handler.calls[0].traceparent[3:35] == handler.traces[0]
    assert (done.attempts, done.error, await queue.dbsize()) == (1, None, await count_arq_keys(queue))


async def count_arq_keys(queue: ArqRedis) -> int:
    """The keys that arq keeps for itself: the health of each queue, and marks that expire."""
    return len([key async for key in queue.scan_iter() if b"health-check" in key or b"retry" in key])


async def test_a_long_job_is_not_taken_by_another_worker(
    environ: dict[str, str], platform: Platform, queue: ArqRedis, handler: Recorder, registry: Registry
) -> None:
    async with run_worker(environ, platform, registry), run_worker(environ, platform, registry):
        await enqueue(platform, 1)
        await handler.called.wait()
        await asyncio.sleep(5)  # more than twice the lease
        assert len(handler.calls) == 1
        handler.released.set()
        await wait_for_state(platform, DeliveryState.DONE)
    assert len(handler.calls) == 1


async def test_the_job_of_a_killed_worker_is_taken_over(
    environ: dict[str, str], platform: Platform, queue: ArqRedis, handler: Recorder, registry: Registry
) -> None:
    handler.released.set()
    holding = run_worker_process(environ, "tests.workers.harness", asyncio.subprocess.PIPE)
    async with holding as process:
        await enqueue(platform, 1)
        await wait_until_holding(process)
        process.kill()
        assert await process.wait() == -9
        async with run_worker(environ, platform, registry):
            done = await wait_for_state(platform, DeliveryState.DONE)
    assert (len(handler.calls), done.attempts) == (1, 2)


@pytest.mark.parametrize("others", [1, 2])
async def test_a_worker_paused_for_longer_than_its_lease_gives_its_job_up(
    environ: dict[str, str],
    platform: Platform,
    queue: ArqRedis,
    handler: Recorder,
    registry: Registry,
    others: int,
) -> None:
    holding = run_worker_process(environ, "tests.workers.harness", asyncio.subprocess.PIPE)
    async with holding as process:
        await enqueue(platform, 1)
        await wait_until_holding(process)
        process.send_signal(signal.SIGSTOP)
        async with AsyncExitStack() as workers:
            for _ in range(others):
                await workers.enter_async_context(run_worker(environ, platform, registry))
            await handler.called.wait()
            process.send_signal(signal.SIGCONT)
            # What it has lost is on no queue and under no lease of its own: the other one ends it.
            await asyncio.sleep(3)
            handler.released.set()
            done = await wait_for_state(platform, DeliveryState.DONE)
        process.terminate()
        await process.wait()
    assert (len(handler.calls), done.attempts) == (1, 2)
    assert await read_only_delivery(platform) == done


async def test_a_worker_whose_lease_ended_in_a_pause_does_not_start_its_job_again(
    environ: dict[str, str],
    platform: Platform,
    queue: ArqRedis,
    handler: Recorder,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workers.runner._RENEWAL_SECONDS", 3600)
    async with run_worker(environ, platform, registry):
        await enqueue(platform, 1)
        await handler.called.wait()
        for _ in range(2):
            # As after a pause: the relay runs before the lease is renewed.
            async with platform.print.unit_of_work() as uow:
                await uow.session.execute(update(TABLE).values(due_at=func.now()))

            async def is_queued_again() -> bool:
                [delivery] = await read_deliveries(platform)
                return delivery.due_at > utc_now() + deliveries.QUEUE_TIMEOUT / 2

            async def is_taken_off() -> bool:
                return not await queue.zcard(queues.build_key(queues.DEFAULT))

            await wait_until(is_queued_again)
            await wait_until(is_taken_off)
        await asyncio.sleep(0.5)
        assert (len(handler.calls), (await read_only_delivery(platform)).attempts) == (1, 1)
        handler.released.set()
        done = await wait_for_state(platform, DeliveryState.DONE)
    assert (len(handler.calls), done.attempts) == (1, 1)


async def wait_until_holding(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    async with asyncio.timeout(60):
        while (line := await process.stdout.readline()) != b"holding\n":
            assert line, "the worker has ended"


async def test_a_handler_is_cancelled_when_another_worker_has_claimed_its_delivery(
    environ: dict[str, str], platform: Platform, queue: ArqRedis, handler: Recorder, registry: Registry
) -> None:
    async with run_worker(environ, platform, registry):
        await enqueue(platform, 1)
        await handler.called.wait()
        async with platform.print.unit_of_work() as uow:
            await uow.session.execute(
                update(TABLE).values(attempts=2, due_at=func.now() + timedelta(minutes=1))
            )

        async def is_cancelled() -> bool:
            return bool(handler.cancelled)

        await wait_until(is_cancelled)
    delivery = await read_only_delivery(platform)
    assert (delivery.state, delivery.attempts, len(handler.calls)) == (DeliveryState.DUE, 2, 1)


async def test_a_stale_entry_of_the_queue_starts_nothing(platform: Platform, registry: Registry) -> None:
    runner = Runner(platform, registry)
    row = build_delivery_row(HoldStill.name(), payload={"n": 1})
    async with platform.print.unit_of_work() as uow:
        await deliveries.add(uow.session, TABLE, [row])
        assert await deliveries.claim(uow.session, TABLE, row["id"], 0) is not None
    await runner.run("print", row["id"], 0)
    await runner.run("print", "msg_2:workers.HoldStill", 0)
    assert (await read_only_delivery(platform)).attempts == 1


async def test_a_failed_job_is_tried_again_with_growing_pauses(
    environ: dict[str, str], platform: Platform, queue: ArqRedis, handler: Recorder, registry: Registry
) -> None:
    handler.released.set()
    handler.failures = [RuntimeError("first attempt"), DependencyFailed("The graph does not answer.")]
    async with run_worker(environ, platform, registry):
        await enqueue(platform, 1)
        done = await wait_for_state(platform, DeliveryState.DONE)
    assert [delivery.attempts for delivery in handler.calls] == [1, 2, 3]
    assert done.attempts == 3


def test_pauses_grow_to_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    pauses = [deliveries.compute_pause(attempts).total_seconds() for attempts in range(1, MAX_ATTEMPTS)]
    assert pauses[:4] == [2, 4, 8, 16]
    assert pauses == sorted(pauses)
    assert max(pauses) == 3600
    assert 18 * 3600 < sum(pauses) < 24 * 3600


async def test_a_job_that_keeps_failing_is_parked_with_its_error(
    environ: dict[str, str],
    platform: Platform,
    queue: ArqRedis,
    handler: Recorder,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deliveries, "MAX_ATTEMPTS", 3)
    handler.failures = [RuntimeError(f"attempt {n}") for n in range(9)]
    async with run_worker(environ, platform, registry):
        await enqueue(platform, 1)
        parked = await wait_for_state(platform, DeliveryState.PARKED)
        await asyncio.sleep(1.5)
        assert await read_only_delivery(platform) == parked
        assert (parked.attempts, parked.error) == (3, "RuntimeError: attempt 2")

        handler.failures.clear()
        handler.released.set()
        async with platform.print.unit_of_work() as uow:
            assert await deliveries.retry(uow.session, TABLE, parked.id)
        await wait_for_state(platform, DeliveryState.DONE)
    assert len(handler.calls) == 4


async def test_a_job_that_kills_each_worker_is_parked(
    environ: dict[str, str],
    platform: Platform,
    queue: ArqRedis,
    handler: Recorder,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deliveries, "MAX_ATTEMPTS", 3)
    await enqueue(platform, 1)
    async with run_worker(environ, platform, registry):
        await handler.called.wait()
        async with platform.print.unit_of_work() as uow:
            await uow.session.execute(update(TABLE).values(attempts=3, due_at=func.now()))
        parked = await wait_for_state(platform, DeliveryState.PARKED)
    assert parked.attempts == 3


async def test_a_refused_job_is_not_tried_again(
    environ: dict[str, str], platform: Platform, queue: ArqRedis, handler: Recorder, registry: Registry
) -> None:
    handler.failures = [Conflict("The order has been shipped.")]
    async with run_worker(environ, platform, registry):
        await enqueue(platform, 1)
        refused = await wait_for_state(platform, DeliveryState.REFUSED)
    assert (len(handler.calls), refused.error) == (1, "Conflict: The order has been shipped.")


async def test_a_message_without_a_handler_or_a_field_waits_and_names_what_is_missing(
    environ: dict[str, str], platform: Platform, queue: ArqRedis, handler: Recorder
) -> None:
    await enqueue(platform, 1)

    async def has_failed() -> bool:
        return any(delivery.error for delivery in await read_deliveries(platform))

    async with run_worker(environ, platform, Registry()):
        await wait_until(has_failed)
    delivery = await read_only_delivery(platform)
    assert delivery.state is DeliveryState.DUE
    assert delivery.error == "UnknownDestination: This worker has no handler for workers.HoldStill."

    async def read(_: Platform, delivery: Delivery) -> None:
        HoldStill.read({"m": 1}, delivery.version)

    async def is_unreadable() -> bool:
        return "MessageUnreadable" in ((await read_only_delivery(platform)).error or "")

    async with run_worker(environ, platform, build_registry(read)):
        await wait_until(is_unreadable)
    error = (await read_only_delivery(platform)).error
    assert error == "MessageUnreadable: workers.HoldStill: n: Field required"

    handler.released.set()
    async with run_worker(environ, platform, build_registry(handler)):
        await wait_for_state(platform, DeliveryState.DONE)


async def test_a_worker_that_stops_releases_its_job_at_once(
    environ: dict[str, str],
    platform: Platform,
    queue: ArqRedis,
    handler: Recorder,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deliveries, "LEASE", timedelta(hours=1))
    async with run_worker(environ, platform, registry):
        await enqueue(platform, 1)
        await handler.called.wait()
    handler.released.set()
    async with run_worker(environ, platform, registry):
        await wait_for_state(platform, DeliveryState.DONE)
    assert len(handler.calls) == 2


async def test_a_job_that_the_queue_has_lost_is_queued_again(
    environ: dict[str, str],
    platform: Platform,
    queue: ArqRedis,
    handler: Recorder,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deliveries, "QUEUE_TIMEOUT", timedelta(seconds=1))
    handler.released.set()
    await enqueue(platform, 1)

    async def is_queued() -> bool:
        return bool(await queue.zcard(queues.build_key(queues.DEFAULT)))

    async with run_worker(environ, platform, registry, names=[]):
        await wait_until(is_queued)
    await queue.flushdb()
    async with run_worker(environ, platform, registry):
        done = await wait_for_state(platform, DeliveryState.DONE)
    assert (len(handler.calls), done.attempts) == (1, 1)


async def test_jobs_of_a_queue_do_not_wait_for_those_of_another(
    environ: dict[str, str], platform: Platform, queue: ArqRedis, handler: Recorder, registry: Registry
) -> None:
    await enqueue(platform, *range(20))
    finished = asyncio.Event()

    async def finish(_: Platform, __: Delivery) -> None:
        finished.set()

    registry.add("print.Finish", Handler(finish, "payments"))
    row = build_delivery_row("print.Finish", "payments")
    async with run_worker(environ, platform, registry):

        async def are_running() -> bool:
            return len(handler.calls) == queues.CONCURRENCY[queues.DEFAULT]

        await wait_until(are_running)
        async with platform.print.unit_of_work() as uow:
            await deliveries.add(uow.session, TABLE, [row])
        async with asyncio.timeout(30):
            await finished.wait()
    assert len(handler.calls) == queues.CONCURRENCY[queues.DEFAULT]


async def test_a_worker_takes_only_the_queues_that_it_is_told(
    environ: dict[str, str], platform: Platform, queue: ArqRedis, handler: Recorder, registry: Registry
) -> None:
    await enqueue(platform, 1)
    async with run_worker(environ, platform, registry, names=["ai", "payments"]):

        async def is_queued() -> bool:
            return bool(await queue.zcard(queues.build_key(queues.DEFAULT)))

        await wait_until(is_queued)
        await asyncio.sleep(0.5)
        assert handler.calls == []


async def test_of_two_workers_one_runs_the_slot_of_a_scheduled_job(
    environ: dict[str, str], platform: Platform, queue: ArqRedis, handler: Recorder, registry: Registry
) -> None:
    registry.schedule.append(ScheduledJob("print", HoldStill(1), timedelta(days=10_000)))
    async with run_worker(environ, platform, registry), run_worker(environ, platform, registry):
        await handler.called.wait()
        await asyncio.sleep(3)  # longer than the lease
        handler.released.set()
        done = await wait_for_state(platform, DeliveryState.DONE)
        await asyncio.sleep(1.5)
    assert (len(handler.calls), done.attempts) == (1, 1)
    assert await read_only_delivery(platform) == done


async def test_arq_ends_no_job_for_taking_long(
    platform: Platform, queue: ArqRedis, registry: Registry
) -> None:
    worker = create_worker(Runner(platform, registry), queue, "ai")
    [deliver] = worker.functions.values()
    assert (deliver.name, deliver.timeout_s) == ("deliver", None)
    assert worker.job_timeout_s > timedelta(days=30).total_seconds()


async def test_owners_take_turns(
    environ: dict[str, str], platform: Platform, queue: ArqRedis, handler: Recorder, registry: Registry
) -> None:
    await enqueue(platform, *range(24), owner_id="usr_ada")
    async with run_worker(environ, platform, registry, names=[]):

        async def are_queued() -> bool:
            return int(await queue.zcard(queues.build_key(queues.DEFAULT))) == 24

        await wait_until(are_queued)
        await enqueue(platform, 100, 101, owner_id="usr_ben")

        async def is_queued() -> bool:
            return int(await queue.zcard(queues.build_key(queues.DEFAULT))) == 26

        await wait_until(is_queued)
    order = await queue.zrange(queues.build_key(queues.DEFAULT), 0, -1)
    owners = {f"{each.id}:0": each.owner_id for each in await read_deliveries(platform)}
    assert [owners[entry.decode()] for entry in order][:5] == [
        "usr_ada",
        "usr_ben",
        "usr_ada",
        "usr_ben",
        "usr_ada",
    ]


async def test_a_job_is_a_span_of_the_trace_that_enqueued_it(
    environ: dict[str, str],
    platform: Platform,
    queue: ArqRedis,
    handler: Recorder,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handler.released.set()
    collector = Collector()
    async with serve_app(collector.build_app()) as address:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        recording = record_spans("worker")
        recording.__enter__()
        start_trace(f"00-{'ab' * 16}-{'cd' * 8}-01")
        await enqueue(platform, 1)
        async with run_worker(environ, platform, registry):
            done = await wait_for_state(platform, DeliveryState.DONE)
        await asyncio.to_thread(recording.__exit__, None, None, None)
    [span] = collector.find_spans("workers.HoldStill")
    assert (span.kind, span.trace_id, span.parent_id) == ("CONSUMER", "ab" * 16, done.traceparent[36:52])


async def test_a_draining_worker_finishes_what_it_has_begun_and_starts_nothing_more(
    environ: dict[str, str], platform: Platform, queue: ArqRedis, handler: Recorder, registry: Registry
) -> None:
    del queue
    async with run_worker(environ, platform, registry) as runner:
        await enqueue(platform, 1)
        await handler.called.wait()
        platform.draining.set()
        await enqueue(platform, 2)
        finishing = asyncio.create_task(runner.finish(within=60))
        await asyncio.sleep(0.3)
        assert not finishing.done()
        handler.released.set()
        await finishing
        states = {delivery.payload["n"]: delivery.state for delivery in await read_deliveries(platform)}
    assert states == {1: DeliveryState.DONE, 2: DeliveryState.DUE}
    assert (len(handler.calls), handler.cancelled) == (1, [])


async def test_a_job_that_takes_longer_than_draining_may_is_released(
    environ: dict[str, str], platform: Platform, queue: ArqRedis, handler: Recorder, registry: Registry
) -> None:
    del queue
    async with run_worker(environ, platform, registry) as runner:
        await enqueue(platform, 1)
        await handler.called.wait()
        platform.draining.set()
        await runner.finish(within=0.1)
    assert len(handler.cancelled) == 1
    assert (await read_only_delivery(platform)).state is DeliveryState.DUE


async def test_a_drained_job_is_due_again_at_once_for_another_worker(
    environ: dict[str, str], platform: Platform, queue: ArqRedis, handler: Recorder, registry: Registry
) -> None:
    del queue
    handler.failures = [Drained()]
    handler.released.set()
    async with run_worker(environ, platform, registry):
        await enqueue(platform, 1)
        done = await wait_for_state(platform, DeliveryState.DONE)
    assert (done.attempts, done.error) == (2, None)
