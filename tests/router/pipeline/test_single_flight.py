"""Work off the event loop, once at a time for each key."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from router.errors import OverloadedError
from router.pipeline.single_flight import SingleFlight, open_single_flight
from router.telemetry import Trace, current_trace


def ignore(_: object) -> None:
    """Discards a result."""


def never() -> int:
    raise AssertionError("nothing hangs here")


async def run(flights: SingleFlight, key: str, work: Callable[[], int], client: str = "one") -> int:
    return await flights.run(key, work, never, ignore, client=client, cost=0)


async def test_work_runs_off_the_event_loop_in_the_context_of_its_caller():
    traces: list[Trace | None] = []

    def work() -> int:
        traces.append(current_trace.get())
        return threading.get_ident()

    trace = Trace.begin(None)
    current_trace.set(trace)
    async with open_single_flight(10, 1, 1) as flights:
        thread = await run(flights, "seen", work)
    assert traces == [trace]
    assert thread != threading.get_ident()


async def test_failed_work_is_not_remembered():
    def failing() -> int:
        raise RuntimeError("boom")

    async with open_single_flight(10, 1, 1) as flights:
        with pytest.raises(RuntimeError, match="boom"):
            await run(flights, "key", failing)
        assert await run(flights, "key", lambda: 1) == 1


async def test_closing_cancels_queued_work_and_does_not_wait_for_running_work():
    begun, done = threading.Event(), threading.Event()

    def first() -> int:
        begun.set()
        done.wait()
        return 1

    async with asyncio.timeout(60), open_single_flight(10, 2, 2) as flights:
        running = asyncio.create_task(run(flights, "first", first))
        waiting = asyncio.create_task(run(flights, "second", never))
        await asyncio.to_thread(begun.wait)
    await asyncio.wait({running, waiting})
    assert (running.cancelled(), waiting.cancelled()) == (True, True)
    done.set()


async def test_a_full_queue_drops_work_of_the_client_with_the_most_waiting():
    begun, done = threading.Event(), threading.Event()

    def first() -> int:
        begun.set()
        done.wait()
        return 1

    async with open_single_flight(10, 3, 3) as flights:
        running = asyncio.create_task(run(flights, "first", first, "busy"))
        await asyncio.to_thread(begun.wait)
        many = [asyncio.create_task(run(flights, f"many {n}", lambda: 2, "many")) for n in range(3)]
        await asyncio.sleep(0)
        other = asyncio.create_task(run(flights, "other", lambda: 3, "other"))
        await asyncio.sleep(0)
        done.set()
        outcomes = await asyncio.gather(running, other, *many, return_exceptions=True)
    assert [OverloadedError if isinstance(each, OverloadedError) else each for each in outcomes] == [
        1,
        3,
        2,
        2,
        OverloadedError,
    ]
