"""A bounded queue that is fair to clients by the cost of their work: start-time fair queueing.

Each client has its own queue and a virtual time, which advances by the cost of its work. The next entry is
the one that would finish first in virtual time, so a client with little work waits little, however much the
others have. When all queues together are full, the longest one drops an entry for a shorter one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

# Idle clients whose virtual time is remembered, per entry that may wait.
REMEMBERED_PER_ENTRY = 10

T = TypeVar("T")


class QueueFullError(Exception):
    """The client's queue, or all queues together, are full."""


@dataclass(eq=False, slots=True)
class QueueEntry(Generic[T]):
    """A waiting item of a client and its estimated cost."""

    item: T
    client: str
    cost: float


@dataclass(eq=False, slots=True)
class _ClientQueue(Generic[T]):
    """One client's virtual time and waiting entries."""

    virtual_time: float
    entries: deque[QueueEntry[T]] = field(default_factory=deque)


class FairQueue(Generic[T]):
    """The queues of all clients; `limit` bounds them together, `limit_per_client` each of them."""

    def __init__(self, limit: int, limit_per_client: int) -> None:
        self._limit = limit
        self._limit_per_client = limit_per_client
        self._queues: dict[str, _ClientQueue[T]] = {}
        self._virtual_time = 0.0
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def put(self, entry: QueueEntry[T]) -> QueueEntry[T] | None:
        """Appends an entry to its client's queue; returns the entry that was dropped for it, if any.

        Raises:
            QueueFullError: there is no room for it.
        """
        queue = self._queues.get(entry.client) or _ClientQueue(self._virtual_time)
        if len(queue.entries) >= self._limit_per_client:
            raise QueueFullError
        dropped = None
        if self._length >= self._limit:
            longest = max(self._queues.values(), key=lambda each: len(each.entries))
            if len(longest.entries) <= len(queue.entries) + 1:
                raise QueueFullError
            dropped = longest.entries.pop()
            self._length -= 1
        if not queue.entries:
            queue.virtual_time = max(queue.virtual_time, self._virtual_time)
        queue.entries.append(entry)
        self._queues[entry.client] = queue
        self._length += 1
        return dropped

    def pop(self) -> QueueEntry[T]:
        """Removes and returns the next entry."""
        queue = min(
            (each for each in self._queues.values() if each.entries),
            key=lambda each: each.virtual_time + each.entries[0].cost,
        )
        self._virtual_time = max(self._virtual_time, queue.virtual_time)
        self._length -= 1
        return queue.entries.popleft()

    def charge(self, client: str, cost: float) -> None:
        """Advances a client's virtual time by the actual cost of its work.

        Idle clients are forgotten when nothing waits, or when there are too many of them.
        """
        if queue := self._queues.get(client):
            queue.virtual_time += cost
        if not self._length or len(self._queues) > REMEMBERED_PER_ENTRY * self._limit:
            self._queues = {name: each for name, each in self._queues.items() if each.entries}

    def remove(self, entry: QueueEntry[T]) -> bool:
        """Removes an entry from its queue; false if it is no longer waiting."""
        queue = self._queues.get(entry.client)
        if queue is None or entry not in queue.entries:
            return False
        queue.entries.remove(entry)
        self._length -= 1
        return True

    def share(self, entry: QueueEntry[T], client: str) -> None:
        """Moves an entry that another client wants too to that client's queue, if it waits less there."""
        own, other = self._queues.get(entry.client), self._queues.get(client)
        if own and entry in own.entries and (len(other.entries) if other else 0) < own.entries.index(entry):
            self.remove(entry)
            entry.client = client
            self.put(entry)
