"""What verified tokens say, kept by their hashes, so that a signature is checked once for many requests.

Whoever learns that a session has ended before its tokens do (a sign-out) forgets them here, and here alone.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Generic, TypeVar

MAX_TOKEN_CHARACTERS = 5_000_000
# What is kept for a token beside its claims.
OVERHEAD = 1000

T = TypeVar("T")


class VerifiedTokens(Generic[T]):
    """What tokens were verified to say: those used last, up to a size that counts the tokens' own length."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, tuple[T, int]] = OrderedDict()
        self._characters = 0

    def get(self, token: str) -> T | None:
        """What a token says, if it was verified lately."""
        key = _hash(token)
        known = self._known.get(key)
        if known is None:
            return None
        self._known.move_to_end(key)
        return known[0]

    def keep(self, token: str, said: T) -> None:
        """Keeps what a token was verified to say."""
        key = _hash(token)
        self._forget(key)
        size = len(token) + OVERHEAD
        self._known[key] = said, size
        self._characters += size
        while self._characters > MAX_TOKEN_CHARACTERS:
            self._forget(next(iter(self._known)))

    def clear(self) -> None:
        """Forgets all tokens: the keys that they were verified with are no longer those in use."""
        self._known.clear()
        self._characters = 0

    def _forget(self, key: bytes) -> None:
        if known := self._known.pop(key, None):
            self._characters -= known[1]


def _hash(token: str) -> bytes:
    # Two texts of one hash would be one caller to us, so it is one that nobody can choose texts for.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
