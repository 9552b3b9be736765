"""A queue that is fair to its clients."""

import pytest

from router.pipeline.fair_queue import REMEMBERED_PER_ENTRY, FairQueue, QueueEntry, QueueFullError


def build_entry(item: str, client: str, cost: float = 1.0) -> QueueEntry[str]:
    return QueueEntry(item, client, cost)


def drain(queue: FairQueue[str]) -> list[str]:
    """Takes all entries in order, charging each its expected cost."""
    order = []
    while queue:
        taken = queue.pop()
        order.append(taken.item)
        queue.charge(taken.client, taken.cost)
    return order


def test_clients_take_turns_however_much_each_of_them_has_waiting():
    queue = FairQueue[str](10, 10)
    for item in ("a1", "a2", "a3", "a4", "b1", "b2"):
        queue.put(build_entry(item, item[0]))
    assert drain(queue) == ["a1", "b1", "a2", "b2", "a3", "a4"]


def test_cheap_requests_go_before_expensive_ones_of_another_client():
    queue = FairQueue[str](10, 10)
    for item, cost in (("a1", 5.0), ("a2", 5.0), ("b1", 1.0), ("b2", 1.0), ("b3", 9.0)):
        queue.put(build_entry(item, item[0], cost))
    assert drain(queue) == ["b1", "b2", "a1", "a2", "b3"]


def test_a_client_is_charged_the_actual_cost_not_the_estimate():
    queue = FairQueue[str](10, 10)
    for item in ("a1", "a2", "b1", "b2", "b3"):
        queue.put(build_entry(item, item[0], 1.0))
    assert queue.pop().item == "a1"
    queue.charge("a", 2.5)
    assert drain(queue) == ["b1", "b2", "b3", "a2"]


def test_a_late_client_gets_no_credit_for_its_absence():
    queue = FairQueue[str](10, 10)
    for number in range(6):
        queue.put(build_entry(f"a{number}", "a"))
    for _ in range(4):
        queue.charge(queue.pop().client, 1.0)
    for number in range(4):
        queue.put(build_entry(f"b{number}", "b"))
    assert drain(queue) == ["b0", "a4", "b1", "a5", "b2", "b3"]


def test_a_client_may_queue_only_its_share():
    queue = FairQueue[str](10, 2)
    for item in ("a1", "a2"):
        queue.put(build_entry(item, "a"))
    with pytest.raises(QueueFullError):
        queue.put(build_entry("a3", "a"))
    assert queue.put(build_entry("b1", "b")) is None


def test_a_full_queue_drops_the_last_entry_of_the_longest_line():
    queue = FairQueue[str](4, 4)
    for item in ("a1", "a2", "a3", "b1"):
        queue.put(build_entry(item, item[0]))
    dropped = queue.put(build_entry("c1", "c"))
    assert dropped is not None
    assert (dropped.item, len(queue)) == ("a3", 4)
    with pytest.raises(QueueFullError):
        queue.put(build_entry("b2", "b"))


def test_a_removed_entry_leaves_the_queue():
    queue = FairQueue[str](3, 3)
    first, second = build_entry("a1", "a"), build_entry("a2", "a")
    queue.put(first)
    queue.put(second)
    assert queue.remove(first)
    assert not queue.remove(first)
    assert drain(queue) == ["a2"]


def test_a_shared_entry_moves_to_the_shorter_line():
    queue = FairQueue[str](5, 5)
    entries = [build_entry(f"a{number}", "a") for number in range(4)]
    for each in entries:
        queue.put(each)
    queue.share(entries[3], "b")
    queue.share(entries[0], "c")
    assert drain(queue) == ["a0", "a3", "a1", "a2"]


def test_the_memory_of_idle_clients_is_bounded():
    queue = FairQueue[str](2, 2)
    queue.put(build_entry("first", "first"))
    for number in range(100):
        queue.put(build_entry("", str(number), 0.1))
        queue.charge(queue.pop().client, 1.0)
    assert len(queue._queues) <= REMEMBERED_PER_ENTRY * 2 + 1
