"""What is remembered for many clients under a bound."""

from router.pipeline.fair_cache import FairCache


def test_of_what_one_client_has_asked_the_oldest_gives_way():
    cache = FairCache[str, int](2, 100)
    for key, value in (("a", 1), ("b", 2)):
        cache.put(key, "one", value, 1)
    assert cache.get("a", "one") == 1
    cache.put("c", "one", 3, 1)
    assert [cache.get(key, "one") for key in "abc"] == [1, None, 3]


def test_the_client_who_has_most_gives_way_to_the_others():
    cache = FairCache[str, int](10, 10)
    cache.put("small", "one", 0, 3)
    for number in range(9):
        cache.put(f"big {number}", "many", number, 2)
    assert cache.get("small", "one") == 0
    assert [cache.get(f"big {number}", "many") for number in range(9)] == [None] * 6 + [6, 7, 8]


def test_what_two_clients_have_asked_stays_whatever_one_of_them_asks():
    cache = FairCache[str, int](5, 100)
    cache.put("common", "one", 0, 1)
    assert cache.get("common", "two") == 0
    for number in range(20):
        cache.put(f"own {number}", "two", number, 1)
    assert cache.get("common", "two") == 0


def test_common_things_leave_room_for_others():
    cache = FairCache[str, int](5, 100)
    for number in range(5):
        cache.put(f"common {number}", "one", number, 1)
        cache.get(f"common {number}", "two")
    cache.put("new", "three", 9, 1)
    assert cache.get("new", "three") == 9
    assert cache.get("common 0", "one") is None
    assert cache.get("common 4", "one") == 4


def test_what_weighs_more_than_all_may_is_not_kept():
    cache = FairCache[str, int](5, 100)
    cache.put("small", "one", 1, 1)
    cache.put("huge", "two", 2, 101)
    assert (cache.get("huge", "two"), cache.get("small", "one")) == (None, 1)


def test_a_key_known_twice_counts_once():
    cache = FairCache[str, int](5, 3)
    cache.put("a", "one", 1, 1)
    cache.put("b", "one", 1, 1)
    cache.put("b", "one", 2, 1)
    cache.discard("c")
    assert (cache.get("a", "one"), cache.get("b", "one")) == (1, 2)


def test_where_all_is_common_the_oldest_gives_way():
    cache = FairCache[str, int](10, 4)
    for key in ("a", "b", "c"):
        cache.put(key, "one", 0, 1)
        cache.get(key, "two")
    cache.put("heavy", "three", 0, 4)
    assert [cache.get(key, "one") for key in ("a", "heavy")] == [0, None]
