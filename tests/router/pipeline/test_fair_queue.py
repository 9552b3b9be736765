"""Who is next where several clients wait."""

import pytest

from router.pipeline.fair_queue import REMEMBERED_PER_ENTRY, FairQueue, QueueEntry, QueueFullError


def place(item: str, client: str, cost: float = 1.0) -> QueueEntry[str]:
    return QueueEntry(item, client, cost)


def served(queue: FairQueue[str]) -> list[str]:
    """What waits, in the order in which it is taken, each costing what was expected."""
    order = []
    while queue:
        taken = queue.pop()
        order.append(taken.item)
        queue.charge(taken.client, taken.cost)
    return order


def test_clients_take_turns_however_much_each_of_them_has_waiting():
    queue = FairQueue[str](10, 10)
    for item in ("a1", "a2", "a3", "a4", "b1", "b2"):
        queue.put(place(item, item[0]))
    assert served(queue) == ["a1", "b1", "a2", "b2", "a3", "a4"]


def test_one_who_asks_for_little_goes_before_those_who_ask_for_much():
    queue = FairQueue[str](10, 10)
    for item, cost in (("a1", 5.0), ("a2", 5.0), ("b1", 1.0), ("b2", 1.0), ("b3", 9.0)):
        queue.put(place(item, item[0], cost))
    assert served(queue) == ["b1", "b2", "a1", "a2", "b3"]


def test_a_client_pays_for_what_its_work_has_cost_and_not_for_what_was_expected():
    queue = FairQueue[str](10, 10)
    for item in ("a1", "a2", "b1", "b2", "b3"):
        queue.put(place(item, item[0], 1.0))
    assert queue.pop().item == "a1"
    queue.charge("a", 2.5)
    assert served(queue) == ["b1", "b2", "b3", "a2"]


def test_one_who_comes_later_is_not_paid_for_the_time_before():
    queue = FairQueue[str](10, 10)
    for number in range(6):
        queue.put(place(f"a{number}", "a"))
    for _ in range(4):
        queue.charge(queue.pop().client, 1.0)
    for number in range(4):
        queue.put(place(f"b{number}", "b"))
    assert served(queue) == ["b0", "a4", "b1", "a5", "b2", "b3"]


def test_no_client_has_more_waiting_than_its_share():
    queue = FairQueue[str](10, 2)
    for item in ("a1", "a2"):
        queue.put(place(item, "a"))
    with pytest.raises(QueueFullError):
        queue.put(place("a3", "a"))
    assert queue.put(place("b1", "b")) is None


def test_a_full_queue_drops_the_last_of_the_longest_line_for_a_shorter_one():
    queue = FairQueue[str](4, 4)
    for item in ("a1", "a2", "a3", "b1"):
        queue.put(place(item, item[0]))
    dropped = queue.put(place("c1", "c"))
    assert dropped is not None
    assert (dropped.item, len(queue)) == ("a3", 4)
    with pytest.raises(QueueFullError):
        queue.put(place("b2", "b"))


def test_what_is_no_longer_wanted_leaves_its_line():
    queue = FairQueue[str](3, 3)
    first, second = place("a1", "a"), place("a2", "a")
    queue.put(first)
    queue.put(second)
    assert queue.remove(first)
    assert not queue.remove(first)
    assert served(queue) == ["a2"]


def test_what_a_second_client_wants_too_stands_in_the_shorter_line():
    queue = FairQueue[str](5, 5)
    places = [place(f"a{number}", "a") for number in range(4)]
    for each in places:
        queue.put(each)
    queue.share(places[3], "b")
    queue.share(places[0], "c")
    assert served(queue) == ["a0", "a3", "a1", "a2"]


def test_clients_that_wait_for_nothing_are_remembered_up_to_a_bound():
    queue = FairQueue[str](2, 2)
    queue.put(place("first", "first"))
    for number in range(100):
        queue.put(place("", str(number), 0.1))
        queue.charge(queue.pop().client, 1.0)
    assert len(queue._queues) <= REMEMBERED_PER_ENTRY * 2 + 1
