"""A bounded cache in which no client can evict what others use.

A value that only one client has requested is in that client's own partition, and the largest partition is
evicted from first. A value that two clients have requested is shared: it is evicted only when all shared
values together exceed their fraction of the cache.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

SHARED_FRACTION = 0.8
SHARED = None
FORMERLY_SHARED = ""
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(slots=True)
class _CacheEntry(Generic[V]):
    value: V
    weight: int
    owner: str | None
    """The only client that has requested it, `SHARED`, or `FORMERLY_SHARED`."""


class _Partition(Generic[K]):
    """Keys in least recently used order, and their total weight."""

    def __init__(self) -> None:
        self.keys: OrderedDict[K, None] = OrderedDict()
        self.weight = 0


class FairCache(Generic[K, V]):
    """Values by key, bounded in number and in total weight."""

    def __init__(self, size: int, max_weight: int) -> None:
        self._size = size
        self._max_weight = max_weight
        self._weight = 0
        self._entries: dict[K, _CacheEntry[V]] = {}
        self._partitions: dict[str | None, _Partition[K]] = {}

    def get(self, key: K, client: str) -> V | None:
        """The value of a key that a client requests, or None."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.owner is SHARED or entry.owner == client:
            self._partitions[entry.owner].keys.move_to_end(key)
        else:
            self._move(key, entry, SHARED)
            self._demote()
        return entry.value

    def put(self, key: K, client: str, value: V, weight: int) -> None:
        """Stores what a client has requested, and evicts what exceeds the bounds."""
        self.discard(key)
        entry = self._entries[key] = _CacheEntry(value, weight, client)
        self._weight += weight
        self._add(key, entry)
        while len(self._entries) > self._size or self._weight > self._max_weight:
            self._evict_one()

    def discard(self, key: K) -> None:
        """Removes a key, if it is cached."""
        if entry := self._entries.pop(key, None):
            self._weight -= entry.weight
            self._remove(key, entry)

    def _evict_one(self) -> None:
        own = [partition for owner, partition in self._partitions.items() if owner is not SHARED]
        partition = max(own, key=lambda each: each.weight) if own else self._partitions[SHARED]
        self.discard(next(iter(partition.keys)))

    def _demote(self) -> None:
        """Stops sharing the least recently used values while shared values exceed their fraction."""
        shared = self._partitions[SHARED]
        max_weight, max_size = SHARED_FRACTION * self._max_weight, SHARED_FRACTION * self._size
        while shared.weight > max_weight or len(shared.keys) > max_size:
            key = next(iter(shared.keys))
            self._move(key, self._entries[key], FORMERLY_SHARED)

    def _move(self, key: K, entry: _CacheEntry[V], owner: str | None) -> None:
        self._remove(key, entry)
        entry.owner = owner
        self._add(key, entry)

    def _add(self, key: K, entry: _CacheEntry[V]) -> None:
        partition = self._partitions.setdefault(entry.owner, _Partition())
        partition.keys[key] = None
        partition.weight += entry.weight

    def _remove(self, key: K, entry: _CacheEntry[V]) -> None:
        partition = self._partitions[entry.owner]
        del partition.keys[key]
        partition.weight -= entry.weight
        if not partition.keys:
            del self._partitions[entry.owner]
