"""Work in a thread of its own, each key once at a time."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from router.server.single_flight import SingleFlight, one_thread
from router.telemetry import Trace, current_trace


def ignore(_: object) -> None:
    """What is to happen to a result that only its caller needs."""


async def test_work_runs_apart_from_the_event_loop_in_the_context_of_who_asked():
    def seen() -> tuple[Trace | None, int]:
        return current_trace.get(), threading.get_ident()

    trace = Trace.begin(None)
    current_trace.set(trace)
    async with one_thread() as executor:
        found, thread = await SingleFlight[str, tuple[Trace | None, int]](executor, 1).result(
            "seen", seen, ignore
        )
    assert found is trace
    assert thread != threading.get_ident()


async def test_work_that_fails_is_not_remembered_and_can_be_asked_for_again():
    async def attempt(work: Callable[[], int]) -> int:
        return await flights.result("key", work, results.append)

    def failing() -> int:
        raise RuntimeError("boom")

    results: list[int] = []
    async with one_thread() as executor:
        flights = SingleFlight[str, int](executor, 1)
        with pytest.raises(RuntimeError, match="boom"):
            await attempt(failing)
        assert (await attempt(lambda: 1), results) == (1, [1])


async def test_what_has_not_begun_when_the_thread_ends_is_left_undone():
    begun, done = threading.Event(), threading.Event()

    def first() -> str:
        begun.set()
        done.wait()
        return "first"

    async with asyncio.timeout(10), one_thread() as executor:
        flights = SingleFlight[str, str](executor, 2)
        running = asyncio.create_task(flights.result("first", first, ignore))
        waiting = asyncio.create_task(flights.result("second", lambda: "second", ignore))
        waiting.add_done_callback(lambda _: done.set())
        await asyncio.to_thread(begun.wait)
    assert (await running, waiting.cancelled()) == ("first", True)
