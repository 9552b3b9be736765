"""Turns: an owner with many deliveries delays their own, not those of others."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from subgraphs.common.deliveries import Delivery, DeliveryState
from workers.queues import TURN_MILLISECONDS, assign_turns, compute_score_time

NOW = datetime(2026, 11, 28, 10, tzinfo=UTC)


def build_delivery(id_: str, owner_id: str | None, turn: int | None = None, queue: str = "ai") -> Delivery:
    return Delivery(id_, id_, "ai.Draw", queue, 1, {}, owner_id, "", DeliveryState.DUE, 0, turn, NOW, None)


def to_milliseconds(time: datetime) -> int:
    return int(time.timestamp() * 1000)


def test_owners_take_turns_as_in_the_worked_example() -> None:
    ada = [build_delivery(f"ada {n}", "usr_ada") for n in range(3)]
    ben = [build_delivery(f"ben {n}", "usr_ben") for n in range(2)]
    turns = assign_turns(ada, {}, NOW) | assign_turns(ben, {}, NOW + timedelta(seconds=20))
    assert sorted(turns, key=lambda id_: turns[id_]) == ["ada 0", "ben 0", "ada 1", "ben 1", "ada 2"]


def test_an_owner_continues_after_the_last_turn_in_the_same_queue() -> None:
    last = to_milliseconds(NOW) + 5000
    known = {("ai", "usr_ada"): last, ("print", "usr_ada"): last + 10**9}
    turns = assign_turns([build_delivery("1", "usr_ada")], known, NOW)
    assert turns == {"1": last + TURN_MILLISECONDS}


def test_a_turn_that_was_given_is_kept() -> None:
    assert assign_turns([build_delivery("1", "usr_ada", turn=7)], {}, NOW) == {"1": 7}


def test_a_delivery_without_an_owner_comes_at_once() -> None:
    many = [build_delivery(str(n), None) for n in range(3)]
    assert set(assign_turns(many, {}, NOW).values()) == {to_milliseconds(NOW)}


@given(st.lists(st.sampled_from(["usr_ada", "usr_ben", "usr_cy"]), max_size=60))
def test_between_two_jobs_of_one_owner_no_other_owner_gets_more_than_two(owners: list[str]) -> None:
    due = [build_delivery(str(n), owner) for n, owner in enumerate(owners)]
    turns = assign_turns(due, {}, NOW)
    order = sorted(range(len(due)), key=lambda n: (turns[str(n)], n))
    for owner in set(owners):
        positions = [position for position, n in enumerate(order) if owners[n] == owner]
        for first, second in pairwise(positions):
            between = Counter(owners[n] for n in order[first + 1 : second])
            assert max(between.values(), default=0) <= 2


def test_scores_of_turns_in_the_future_have_passed() -> None:
    turn = to_milliseconds(NOW + timedelta(days=30))
    assert compute_score_time(turn) < NOW
    assert compute_score_time(turn) > compute_score_time(turn - 1)
