"""Circuit breakers, as state machines whose clock the tests move."""

from hypothesis import given
from hypothesis import strategies as st

from router.transport.breaker import Circuit, State


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def circuit(failures: int = 3) -> tuple[Circuit, Clock]:
    clock = Clock()
    return Circuit(failures, 10.0, clock), clock


def admitted(tested: Circuit) -> int:
    period = tested.admit()
    assert period is not None
    return period


def run_library() -> tuple[Circuit, Clock]:
    tested, clock = circuit(1)
    tested.record_failure(admitted(tested))
    return tested, clock


def test_failures_in_a_row_open_it():
    tested, _ = circuit(failures=3)
    for outcome in (
        tested.record_failure,
        tested.record_failure,
        tested.record_success,
        tested.record_failure,
        tested.record_failure,
    ):
        outcome(admitted(tested))
    assert tested.state is State.CLOSED
    tested.record_failure(admitted(tested))
    assert (tested.state, tested.admit()) == (State.OPEN, None)


def test_after_its_time_one_fetch_tries():
    tested, clock = run_library()
    clock.now = 9.9
    assert tested.admit() is None
    clock.now = 10.0
    assert tested.admit() is not None
    assert (tested.state, tested.admit()) == (State.HALF_OPEN, None)


def test_an_answer_closes_it_again():
    tested, clock = run_library()
    clock.now = 10.0
    tested.record_success(admitted(tested))
    assert tested.state is State.CLOSED


def test_another_failure_keeps_it_open_for_as_long_again():
    tested, clock = run_library()
    clock.now = 10.0
    tested.record_failure(admitted(tested))
    clock.now = 19.9
    assert tested.admit() is None
    clock.now = 20.0
    assert tested.admit() is not None


def test_a_try_that_tells_nothing_leaves_room_for_another():
    tested, clock = run_library()
    clock.now = 10.0
    tested.record_unknown(admitted(tested))
    assert tested.admit() is not None


def test_a_fetch_from_before_decides_nothing():
    tested, clock = circuit(1)
    late, other = admitted(tested), admitted(tested)
    tested.record_failure(other)
    clock.now = 10.0
    admitted(tested)
    tested.record_success(late)
    assert tested.state is State.HALF_OPEN
    tested.record_failure(late)
    assert tested.state is State.HALF_OPEN


@given(
    st.integers(1, 5),
    st.lists(st.sampled_from(["admit", "record_success", "record_failure", "record_unknown", "wait"])),
)
def test_whatever_happens_it_admits_when_closed_tries_one_at_a_time_and_recovers(
    failures: int, steps: list[str]
):
    tested, clock = circuit(failures)
    under_way: list[int] = []
    for step in steps:
        before = tested.state
        if step == "wait":
            clock.now += 5.0
        elif step == "admit":
            period = tested.admit()
            if period is not None:
                under_way.append(period)
            assert (period is not None) or before is not State.CLOSED
            assert period is None or before is not State.HALF_OPEN
        elif under_way:
            getattr(tested, step)(under_way.pop(0))
    for period in under_way:
        tested.record_unknown(period)
    clock.now += 10.0
    tested.record_success(admitted(tested))
    assert tested.state is State.CLOSED
