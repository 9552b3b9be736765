"""A state machine: the states of a row, and the transitions between them as data.

A machine has no cycle. Reports of other systems arrive late, twice and out of order; if each moves a row
only to a state ahead of its present one, it ends in the same state, whatever their order:

    CREATED -> SUBMITTED -> SHIPPED      reports: SHIPPED, SUBMITTED, SHIPPED
    present CREATED: SHIPPED is ahead, move; SUBMITTED is behind, ignore; SHIPPED is the present one, ignore
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Generic, TypeVar

State = TypeVar("State", bound=StrEnum)


class StateMachine(Generic[State]):
    """The transitions that lead from each state; the first state is the initial one.

    Raises:
        ValueError: A state is missing, or the transitions have a cycle.
    """

    def __init__(self, transitions: Mapping[State, Collection[State]]) -> None:
        self._next = {state: frozenset(following) for state, following in transitions.items()}
        self.initial = next(iter(transitions))
        if missing := set(type(self.initial)) - set(self._next):
            raise ValueError(f"transitions are missing from {', '.join(sorted(missing))}")
        self._ahead: dict[State, frozenset[State]] = {}
        for state in self._next:
            self._find_ahead(state, ())

    @property
    def terminal(self) -> frozenset[State]:
        """The states that no other follows."""
        return frozenset(state for state, following in self._next.items() if not following)

    @property
    def active(self) -> frozenset[State]:
        """The states that others follow."""
        return frozenset(self._next) - self.terminal

    def may_become(self, current: State, following: State) -> bool:
        """Whether one state may directly follow another."""
        return following in self._next[current]

    def is_ahead(self, current: State, reported: State) -> bool:
        """Whether a state lies ahead of another, with any number of states between them."""
        return reported in self._ahead[current]

    def find_predecessors(self, following: State) -> frozenset[State]:
        """Find the states that this one may directly follow."""
        return frozenset(state for state in self._next if self.may_become(state, following))

    def draw(self) -> str:
        """Draw the machine as a Mermaid state diagram."""
        arrows = [f"[*] --> {self.initial}"]
        for state, following in self._next.items():
            arrows += [f"{state} --> {each}" for each in self._next if each in following]
            if not following:
                arrows.append(f"{state} --> [*]")
        return "\n".join(["stateDiagram-v2", *(f"    {arrow}" for arrow in arrows)])

    def _find_ahead(self, state: State, path: tuple[State, ...]) -> frozenset[State]:
        if state in path:
            raise ValueError(f"{' -> '.join((*path, state))} is a cycle")
        if state not in self._ahead:
            following = self._next[state]
            further = (self._find_ahead(each, (*path, state)) for each in following)
            self._ahead[state] = following.union(*further)
        return self._ahead[state]
