"""What is remembered under a bound, so that no client can push out what others use.

What only one client has asked for stands in that client's own part, and the largest part gives way first.
What two clients have asked for is common: it gives way only where all common things together take more than
their share.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

COMMON_SHARE = 0.8
COMMON = None

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(slots=True)
class _Entry(Generic[V]):
    value: V
    weight: int
    owner: str | None
    """The one client who has asked for it, or nobody in particular."""


class _Part(Generic[K]):
    """Keys in the order of their last use, and what they weigh together."""

    def __init__(self) -> None:
        self.keys: OrderedDict[K, None] = OrderedDict()
        self.weight = 0


class Known(Generic[K, V]):
    """Values by key, bounded in number and in weight."""

    def __init__(self, size: int, max_weight: int) -> None:
        self._size = size
        self._max_weight = max_weight
        self._weight = 0
        self._entries: dict[K, _Entry[V]] = {}
        self._parts: dict[str | None, _Part[K]] = {}

    def get(self, key: K, client: str) -> V | None:
        """What is known under a key, for a client who asks for it."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.owner is COMMON or entry.owner == client:
            self._parts[entry.owner].keys.move_to_end(key)
        else:
            self._move(key, entry, COMMON)
            self._demote()
        return entry.value

    def put(self, key: K, client: str, value: V, weight: int) -> None:
        """Remembers what a client has asked for, and forgets what no longer has room."""
        self.discard(key)
        entry = self._entries[key] = _Entry(value, weight, client)
        self._weight += weight
        self._add(key, entry)
        while len(self._entries) > self._size or self._weight > self._max_weight:
            self._forget_one()

    def discard(self, key: K) -> None:
        """Forgets a key, if it is known."""
        if entry := self._entries.pop(key, None):
            self._weight -= entry.weight
            self._remove(key, entry)

    def _forget_one(self) -> None:
        own = [part for owner, part in self._parts.items() if owner is not COMMON]
        part = max(own, key=lambda each: each.weight) if own else self._parts[COMMON]
        self.discard(next(iter(part.keys)))

    def _demote(self) -> None:
        """Leaves to the clients who brought them what common things take above their share."""
        common = self._parts[COMMON]
        while common.weight > COMMON_SHARE * self._max_weight or len(common.keys) > COMMON_SHARE * self._size:
            key = next(iter(common.keys))
            self._move(key, self._entries[key], "")

    def _move(self, key: K, entry: _Entry[V], owner: str | None) -> None:
        self._remove(key, entry)
        entry.owner = owner
        self._add(key, entry)

    def _add(self, key: K, entry: _Entry[V]) -> None:
        part = self._parts.setdefault(entry.owner, _Part())
        part.keys[key] = None
        part.weight += entry.weight

    def _remove(self, key: K, entry: _Entry[V]) -> None:
        part = self._parts[entry.owner]
        del part.keys[key]
        part.weight -= entry.weight
        if not part.keys:
            del self._parts[entry.owner]
