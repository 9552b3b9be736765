"""State machines: what follows what, what lies ahead, and which data is refused."""

from __future__ import annotations

from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.common.state_machine import StateMachine


class Status(StrEnum):
    NEW = "NEW"
    OPEN = "OPEN"
    DONE = "DONE"
    DROPPED = "DROPPED"


S = Status
MACHINE = StateMachine({S.NEW: {S.OPEN, S.DROPPED}, S.OPEN: {S.DONE, S.DROPPED}, S.DONE: (), S.DROPPED: ()})


def test_only_a_direct_successor_may_follow() -> None:
    assert MACHINE.may_become(S.NEW, S.OPEN)
    assert not MACHINE.may_become(S.NEW, S.DONE)
    assert not MACHINE.may_become(S.OPEN, S.OPEN)


def test_any_number_of_states_may_lie_between_a_state_and_one_ahead_of_it() -> None:
    assert [state for state in S if MACHINE.is_ahead(S.NEW, state)] == [S.OPEN, S.DONE, S.DROPPED]
    assert [state for state in S if MACHINE.is_ahead(S.OPEN, state)] == [S.DONE, S.DROPPED]
    assert not any(MACHINE.is_ahead(S.DONE, state) for state in S)


def test_terminal_and_cancellable_states_are_derived() -> None:
    assert MACHINE.terminal == {S.DONE, S.DROPPED}
    assert MACHINE.active == {S.NEW, S.OPEN}
    assert MACHINE.find_predecessors(S.DROPPED) == {S.NEW, S.OPEN}
    assert MACHINE.find_predecessors(S.NEW) == frozenset()


@given(st.lists(st.sampled_from(Status), max_size=12))
def test_moving_ahead_only_never_comes_to_a_state_twice(reports: list[Status]) -> None:
    visited = [S.NEW]
    for state in reports:
        if MACHINE.is_ahead(visited[-1], state):
            visited.append(state)
    assert len(visited) == len(set(visited))


def test_a_missing_state_is_named() -> None:
    with pytest.raises(ValueError, match="transitions are missing from DONE, DROPPED"):
        StateMachine({S.NEW: {S.OPEN}, S.OPEN: ()})


def test_a_cycle_is_shown() -> None:
    with pytest.raises(ValueError, match="NEW -> OPEN -> NEW is a cycle"):
        StateMachine({S.NEW: {S.OPEN}, S.OPEN: {S.NEW}, S.DONE: (), S.DROPPED: ()})


def test_the_diagram_has_every_transition_and_every_end() -> None:
    assert MACHINE.draw().splitlines() == [
        "stateDiagram-v2",
        "    [*] --> NEW",
        "    NEW --> OPEN",
        "    NEW --> DROPPED",
        "    OPEN --> DONE",
        "    OPEN --> DROPPED",
        "    DONE --> [*]",
        "    DROPPED --> [*]",
    ]
