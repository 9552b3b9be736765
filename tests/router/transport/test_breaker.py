"""The circuit breaker as a state machine, with a clock that the tests set."""

from hypothesis import given
from hypothesis import strategies as st

from router.transport.breaker import Circuit, State


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def build_circuit(failures: int = 3) -> tuple[Circuit, Clock]:
    clock = Clock()
    return Circuit(failures, 10.0, clock), clock


def admit(circuit: Circuit) -> int:
    period = circuit.admit()
    assert period is not None
    return period


def build_open_circuit() -> tuple[Circuit, Clock]:
    circuit, clock = build_circuit(1)
    circuit.record_failure(admit(circuit))
    return circuit, clock


def test_consecutive_failures_open_the_circuit():
    circuit, _ = build_circuit(failures=3)
    for outcome in (
        circuit.record_failure,
        circuit.record_failure,
        circuit.record_success,
        circuit.record_failure,
        circuit.record_failure,
    ):
        outcome(admit(circuit))
    assert circuit.state is State.CLOSED
    circuit.record_failure(admit(circuit))
    assert (circuit.state, circuit.admit()) == (State.OPEN, None)


def test_a_single_fetch_probes_the_open_circuit_after_the_delay():
    circuit, clock = build_open_circuit()
    clock.now = 9.9
    assert circuit.admit() is None
    clock.now = 10.0
    assert circuit.admit() is not None
    assert (circuit.state, circuit.admit()) == (State.HALF_OPEN, None)


def test_a_successful_probe_closes_the_circuit():
    circuit, clock = build_open_circuit()
    clock.now = 10.0
    circuit.record_success(admit(circuit))
    assert circuit.state is State.CLOSED


def test_a_failed_probe_keeps_the_circuit_open_for_another_delay():
    circuit, clock = build_open_circuit()
    clock.now = 10.0
    circuit.record_failure(admit(circuit))
    clock.now = 19.9
    assert circuit.admit() is None
    clock.now = 20.0
    assert circuit.admit() is not None


def test_a_probe_without_a_result_allows_another():
    circuit, clock = build_open_circuit()
    clock.now = 10.0
    circuit.record_unknown(admit(circuit))
    assert circuit.admit() is not None


def test_outcomes_of_fetches_from_before_the_opening_are_ignored():
    circuit, clock = build_circuit(1)
    late, other = admit(circuit), admit(circuit)
    circuit.record_failure(other)
    clock.now = 10.0
    admit(circuit)
    circuit.record_success(late)
    assert circuit.state is State.HALF_OPEN
    circuit.record_failure(late)
    assert circuit.state is State.HALF_OPEN


@given(
    st.integers(1, 5),
    st.lists(st.sampled_from(["admit", "record_success", "record_failure", "record_unknown", "wait"])),
)
def test_in_any_order_of_events_it_admits_when_closed_probes_one_at_a_time_and_recovers(
    failures: int, steps: list[str]
):
    circuit, clock = build_circuit(failures)
    under_way: list[int] = []
    for step in steps:
        before = circuit.state
        if step == "wait":
            clock.now += 5.0
        elif step == "admit":
            period = circuit.admit()
            if period is not None:
                under_way.append(period)
            assert (period is not None) or before is not State.CLOSED
            assert period is None or before is not State.HALF_OPEN
        elif under_way:
            getattr(circuit, step)(under_way.pop(0))
    for period in under_way:
        circuit.record_unknown(period)
    clock.now += 10.0
    circuit.record_success(admit(circuit))
    assert circuit.state is State.CLOSED
