"""Who is next: a queue that is bounded, and fair to all clients by what their work costs.

Each client has a line of its own and a clock that runs on by what its work has cost. The line whose first
piece of work would end earliest by its clock is next (start-time fair queueing), so that one who asks for
little waits for little, however much others ask for. Where the queue is full, the longest line gives way to
a shorter one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

# For each that may wait, how many clients that wait for nothing are remembered.
REMEMBERED = 10

T = TypeVar("T")


class FullError(Exception):
    """The client, or all together, have as much waiting as may."""


@dataclass(eq=False, slots=True)
class Place(Generic[T]):
    """What waits in a client's line, and what it is expected to cost."""

    item: T
    client: str
    cost: float


@dataclass(eq=False, slots=True)
class _Line(Generic[T]):
    """One client's clock, and what of it waits."""

    clock: float
    places: deque[Place[T]] = field(default_factory=deque)


class FairQueue(Generic[T]):
    """Lines of clients; `limit` bounds them together, `limit_per_client` each of them."""

    def __init__(self, limit: int, limit_per_client: int) -> None:
        self._limit = limit
        self._limit_per_client = limit_per_client
        self._lines: dict[str, _Line[T]] = {}
        self._now = 0.0
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def put(self, place: Place[T]) -> Place[T] | None:
        """Lines something up; returns what has given way to it, if anything has.

        Raises:
            FullError: it has to give way itself.
        """
        line = self._lines.get(place.client) or _Line(self._now)
        if len(line.places) >= self._limit_per_client:
            raise FullError
        dropped = None
        if self._length >= self._limit:
            longest = max(self._lines.values(), key=lambda each: len(each.places))
            if len(longest.places) <= len(line.places) + 1:
                raise FullError
            dropped = longest.places.pop()
            self._length -= 1
        line.clock = line.clock if line.places else max(line.clock, self._now)
        line.places.append(place)
        self._lines[place.client] = line
        self._length += 1
        return dropped

    def pop(self) -> Place[T]:
        """Takes what is next out of its line."""
        line = min(
            (each for each in self._lines.values() if each.places),
            key=lambda each: each.clock + each.places[0].cost,
        )
        self._now = max(self._now, line.clock)
        self._length -= 1
        return line.places.popleft()

    def charge(self, client: str, cost: float) -> None:
        """Puts a client's clock on by what its work has cost.

        Where nothing waits, or too many were served to remember them all, what has been is forgiven.
        """
        if line := self._lines.get(client):
            line.clock += cost
        if not self._length or len(self._lines) > REMEMBERED * self._limit:
            self._lines = {name: each for name, each in self._lines.items() if each.places}

    def remove(self, place: Place[T]) -> bool:
        """Takes something out of its line, wherever it stands there; false if it does not wait any more."""
        line = self._lines.get(place.client)
        if line is None or place not in line.places:
            return False
        line.places.remove(place)
        self._length -= 1
        return True

    def share(self, place: Place[T], client: str) -> None:
        """Moves what waits to the line of another client who wants it too, where that is the shorter one."""
        own, other = self._lines.get(place.client), self._lines.get(client)
        if own and place in own.places and (len(other.places) if other else 0) < own.places.index(place):
            self.remove(place)
            place.client = client
            self.put(place)
