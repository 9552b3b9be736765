"""What is remembered for many clients under a bound."""

from router.pipeline.known import Known


def test_of_what_one_client_has_asked_the_oldest_gives_way():
    known = Known[str, int](2, 100)
    for key, value in (("a", 1), ("b", 2)):
        known.put(key, "one", value, 1)
    assert known.get("a", "one") == 1
    known.put("c", "one", 3, 1)
    assert [known.get(key, "one") for key in "abc"] == [1, None, 3]


def test_the_client_who_has_most_gives_way_to_the_others():
    known = Known[str, int](10, 10)
    known.put("small", "one", 0, 3)
    for number in range(9):
        known.put(f"big {number}", "many", number, 2)
    assert known.get("small", "one") == 0
    assert [known.get(f"big {number}", "many") for number in range(9)] == [None] * 6 + [6, 7, 8]


def test_what_two_clients_have_asked_stays_whatever_one_of_them_asks():
    known = Known[str, int](5, 100)
    known.put("common", "one", 0, 1)
    assert known.get("common", "two") == 0
    for number in range(20):
        known.put(f"own {number}", "two", number, 1)
    assert known.get("common", "two") == 0


def test_common_things_leave_room_for_others():
    known = Known[str, int](5, 100)
    for number in range(5):
        known.put(f"common {number}", "one", number, 1)
        known.get(f"common {number}", "two")
    known.put("new", "three", 9, 1)
    assert known.get("new", "three") == 9
    assert known.get("common 0", "one") is None
    assert known.get("common 4", "one") == 4


def test_what_weighs_more_than_all_may_is_not_kept():
    known = Known[str, int](5, 100)
    known.put("small", "one", 1, 1)
    known.put("huge", "two", 2, 101)
    assert (known.get("huge", "two"), known.get("small", "one")) == (None, 1)


def test_a_key_known_twice_counts_once():
    known = Known[str, int](5, 3)
    known.put("a", "one", 1, 1)
    known.put("b", "one", 1, 1)
    known.put("b", "one", 2, 1)
    known.discard("c")
    assert (known.get("a", "one"), known.get("b", "one")) == (1, 2)


def test_where_all_is_common_the_oldest_gives_way():
    known = Known[str, int](10, 4)
    for key in ("a", "b", "c"):
        known.put(key, "one", 0, 1)
        known.get(key, "two")
    known.put("heavy", "three", 0, 4)
    assert [known.get(key, "one") for key in ("a", "heavy")] == [0, None]
