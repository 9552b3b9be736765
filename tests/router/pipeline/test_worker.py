"""A thread that is replaced when it hangs."""

import threading
from time import monotonic

import pytest

from router.pipeline.worker import HungError, Worker


async def test_work_runs_in_one_thread_and_its_errors_are_raised_to_the_caller():
    worker = Worker("work", 10)
    assert await worker.run(threading.get_ident) == await worker.run(threading.get_ident)
    with pytest.raises(ZeroDivisionError):
        await worker.run(lambda: 1 / 0)
    with pytest.raises(TimeoutError):
        await worker.run(_time_out)
    worker.close()


def _time_out() -> None:
    raise TimeoutError


async def test_a_thread_that_hangs_is_ended_and_replaced():
    worker, ended = Worker("work", 0.05), threading.Event()

    def hang() -> None:
        end = monotonic() + 30
        try:
            while monotonic() < end:
                pass
        finally:
            ended.set()

    first = await worker.run(threading.current_thread)
    with pytest.raises(HungError):
        await worker.run(hang)
    assert ended.wait(60)
    worker.timeout = 60
    assert await worker.run(threading.current_thread) is not first
    worker.close()


async def test_a_blocked_thread_is_replaced_and_ends_when_it_is_unblocked():
    worker, release = Worker("work", 0.05), threading.Event()
    first = await worker.run(threading.current_thread)
    with pytest.raises(HungError):
        await worker.run(release.wait)
    worker.timeout = 60
    assert await worker.run(threading.current_thread) is not first
    release.set()
    first.join(60)
    assert not first.is_alive()
    worker.close()
