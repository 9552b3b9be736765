"""Who begins in which turn of the event loop."""

import asyncio
from itertools import pairwise

from router.admission import MAX_PER_ITERATION, Admission


async def test_in_one_turn_so_much_begins_and_then_of_each_client_in_turn():
    admission = Admission()
    begun: list[str] = []

    async def begin(client: str) -> None:
        await admission.enter(client)
        begun.append(client)

    async with asyncio.TaskGroup() as tasks:
        for client in ["often"] * 20 * MAX_PER_ITERATION + ["rarely"]:
            tasks.create_task(begin(client))
        counts: list[int] = []
        while not begun or len(begun) > counts[-1]:
            counts.append(len(begun))
            await asyncio.sleep(0)
    assert {after - before for before, after in pairwise(counts)} == {MAX_PER_ITERATION}
    assert MAX_PER_ITERATION <= begun.index("rarely") < 3 * MAX_PER_ITERATION
    assert len(begun) == 20 * MAX_PER_ITERATION + 1


async def test_who_comes_when_nothing_has_begun_waits_for_nothing():
    admission = Admission()
    for _ in range(3):
        assert [admission.try_enter() for _ in range(MAX_PER_ITERATION + 1)] == [True] * MAX_PER_ITERATION + [
            False
        ]
        await asyncio.sleep(0)


async def test_a_place_that_is_left_is_given_to_the_next():
    admission = Admission()
    waiting = [asyncio.create_task(admission.enter("first")) for _ in range(MAX_PER_ITERATION)]
    left, other = (asyncio.create_task(admission.enter(name)) for name in ("left", "other"))
    await asyncio.sleep(0)
    left.cancel()
    async with asyncio.timeout(60):
        await asyncio.wait([*waiting, left, other])
    assert (left.cancelled(), other.cancelled()) == (True, False)
