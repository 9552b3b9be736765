"""Round robin among waiting clients."""

import asyncio

from router.round_robin import RoundRobin


async def start_waiting(turns: RoundRobin[int], *clients: str) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(turns.wait(client)) for client in clients]
    await asyncio.sleep(0)
    return tasks


async def test_clients_take_turns_however_often_one_of_them_asks():
    turns = RoundRobin[int](10, lambda _: None)
    tasks = await start_waiting(turns, "a", "a", "a", "b", "c", "b")
    for number in range(6):
        assert turns.grant(number)
    assert [await task for task in tasks] == [0, 3, 5, 1, 2, 4]
    assert not turns.grant(6)


async def test_a_cancelled_waiter_gives_up_its_place_or_returns_what_it_was_granted():
    returned: list[int] = []
    turns = RoundRobin[int](2, returned.append)
    first, second = await start_waiting(turns, "a", "b")
    assert turns.is_full
    first.cancel()
    await asyncio.wait({first})
    assert not turns.is_full
    turns.grant(1)
    second.cancel()
    await asyncio.wait({second})
    assert (returned, bool(turns), second.cancelled()) == ([1], False, True)
