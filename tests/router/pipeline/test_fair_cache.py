"""A bounded cache that is fair to its clients."""

from router.pipeline.fair_cache import FairCache


def test_the_least_recently_used_entry_of_a_client_is_evicted():
    cache = FairCache[str, int](2, 100)
    for key, value in (("a", 1), ("b", 2)):
        cache.put(key, "one", value, 1)
    assert cache.get("a", "one") == 1
    cache.put("c", "one", 3, 1)
    assert [cache.get(key, "one") for key in "abc"] == [1, None, 3]


def test_the_entries_of_the_client_with_the_most_are_evicted_first():
    cache = FairCache[str, int](10, 10)
    cache.put("small", "one", 0, 3)
    for number in range(9):
        cache.put(f"big {number}", "many", number, 2)
    assert cache.get("small", "one") == 0
    assert [cache.get(f"big {number}", "many") for number in range(9)] == [None] * 6 + [6, 7, 8]


def test_an_entry_of_two_clients_is_not_evicted_by_one_of_them():
    cache = FairCache[str, int](5, 100)
    cache.put("common", "one", 0, 1)
    assert cache.get("common", "two") == 0
    for number in range(20):
        cache.put(f"own {number}", "two", number, 1)
    assert cache.get("common", "two") == 0


def test_shared_entries_leave_room_for_others():
    cache = FairCache[str, int](5, 100)
    for number in range(5):
        cache.put(f"common {number}", "one", number, 1)
        cache.get(f"common {number}", "two")
    cache.put("new", "three", 9, 1)
    assert cache.get("new", "three") == 9
    assert cache.get("common 0", "one") is None
    assert cache.get("common 4", "one") == 4


def test_an_entry_over_the_total_weight_is_not_kept():
    cache = FairCache[str, int](5, 100)
    cache.put("small", "one", 1, 1)
    cache.put("huge", "two", 2, 101)
    assert (cache.get("huge", "two"), cache.get("small", "one")) == (None, 1)


def test_a_replaced_entry_counts_once():
    cache = FairCache[str, int](5, 3)
    cache.put("a", "one", 1, 1)
    cache.put("b", "one", 1, 1)
    cache.put("b", "one", 2, 1)
    cache.discard("c")
    assert (cache.get("a", "one"), cache.get("b", "one")) == (1, 2)


def test_when_all_entries_are_shared_the_oldest_is_evicted():
    cache = FairCache[str, int](10, 4)
    for key in ("a", "b", "c"):
        cache.put(key, "one", 0, 1)
        cache.get(key, "two")
    cache.put("heavy", "three", 0, 4)
    assert [cache.get(key, "one") for key in ("a", "heavy")] == [0, None]
