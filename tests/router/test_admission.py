"""Admission: how many requests begin in one iteration of the event loop, and whose."""

import asyncio
from itertools import pairwise

from router.admission import MAX_PER_ITERATION, Admission


async def test_each_turn_admits_a_limited_number_and_alternates_between_clients():
    admission = Admission()
    admitted: list[str] = []

    async def begin(client: str) -> None:
        await admission.enter(client)
        admitted.append(client)

    async with asyncio.TaskGroup() as tasks:
        for client in ["often"] * 20 * MAX_PER_ITERATION + ["rarely"]:
            tasks.create_task(begin(client))
        counts: list[int] = []
        while not admitted or len(admitted) > counts[-1]:
            counts.append(len(admitted))
            await asyncio.sleep(0)
    assert {after - before for before, after in pairwise(counts)} == {MAX_PER_ITERATION}
    assert MAX_PER_ITERATION <= admitted.index("rarely") < 3 * MAX_PER_ITERATION
    assert len(admitted) == 20 * MAX_PER_ITERATION + 1


async def test_a_request_is_admitted_at_once_while_the_turn_has_room():
    admission = Admission()
    for _ in range(3):
        assert [admission.try_enter() for _ in range(MAX_PER_ITERATION + 1)] == [True] * MAX_PER_ITERATION + [
            False
        ]
        await asyncio.sleep(0)


async def test_the_place_of_a_cancelled_request_goes_to_the_next():
    admission = Admission()
    waiting = [asyncio.create_task(admission.enter("first")) for _ in range(MAX_PER_ITERATION)]
    left, other = (asyncio.create_task(admission.enter(name)) for name in ("left", "other"))
    await asyncio.sleep(0)
    left.cancel()
    async with asyncio.timeout(60):
        await asyncio.wait([*waiting, left, other])
    assert (left.cancelled(), other.cancelled()) == (True, False)
