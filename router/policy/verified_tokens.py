"""A cache of verified tokens, so that a signature is verified once for many requests.

Revoking a session before its tokens expire (sign-out) would have to remove them here, and only here.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Generic, TypeVar

MAX_TOKEN_CHARACTERS = 5_000_000
# The approximate size of an entry in addition to its token.
ENTRY_OVERHEAD = 1000

T = TypeVar("T")


class VerifiedTokens(Generic[T]):
    """An LRU cache of values by token, bounded by the tokens' total length; it keeps only their hashes."""

    def __init__(self) -> None:
        self._entries: OrderedDict[bytes, tuple[T, int]] = OrderedDict()
        self._characters = 0

    def get(self, token: str) -> T | None:
        """The value of a token, or None."""
        key = _hash(token)
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def put(self, token: str, value: T) -> None:
        """Stores the value of a verified token."""
        key = _hash(token)
        self._remove(key)
        size = len(token) + ENTRY_OVERHEAD
        self._entries[key] = value, size
        self._characters += size
        while self._characters > MAX_TOKEN_CHARACTERS:
            self._remove(next(iter(self._entries)))

    def clear(self) -> None:
        """Removes all tokens, because the keys have changed."""
        self._entries.clear()
        self._characters = 0

    def _remove(self, key: bytes) -> None:
        if entry := self._entries.pop(key, None):
            self._characters -= entry[1]


def _hash(token: str) -> bytes:
    # Colliding tokens would share an identity, so the hash must be collision-resistant.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
