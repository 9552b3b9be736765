"""Passwords as argon2id hashes, computed beside the event loop and never many at once."""

from __future__ import annotations

import asyncio
import os
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from subgraphs.common.errors import BadUserInput, Overloaded

SHORTEST, LONGEST = 10, 128
# Composed, a password may be shorter than it came.
_LONGEST_RAW: Final = 4 * LONGEST

_HASHER: Final = PasswordHasher()
_DECOY: Final = (
    f"$argon2id$v=19$m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    f"${'A' * 22}${'A' * 43}"
)
_RETRY_AFTER: Final = 2
_Result = TypeVar("_Result")


class HashingPool:
    """Threads of its own for hashing, and a bounded queue before them.

    Each hash takes 64 MiB and a core for some 50 ms: more at once would only starve everything else, and who
    would wait longer than a moment is told so at once.
    """

    def __init__(self, threads: int, waiting: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._places = BoundedSemaphore(threads + waiting)

    async def run(self, work: Callable[..., _Result], *arguments: str) -> _Result:
        """Do the work in one of the threads; Overloaded when too much waits for them."""
        if not self._places.acquire(blocking=False):
            raise Overloaded("Too many people sign in at this moment; try again.", retry_after=_RETRY_AFTER)
        future = self._executor.submit(work, *arguments)
        # A caller that leaves does not stop a hash under way: its place is free when the thread is.
        future.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(future)


_POOL: Final = HashingPool(threads=min(2, os.cpu_count() or 1), waiting=20)


def acceptable(password: str) -> str:
    """Return a new password in the form that is hashed; BadUserInput when it is too short or too long."""
    normal = _normal(password)
    if not SHORTEST <= len(normal) <= LONGEST:
        raise BadUserInput("password", f"password must have from {SHORTEST} to {LONGEST} characters.")
    return normal


async def hash_password(password: str) -> str:
    """Hash a password with a salt of its own."""
    return await _POOL.run(_HASHER.hash, password)


async def matches(password: str, password_hash: str | None) -> bool:
    """Tell whether this is the password; without a hash it takes as long, and is false."""
    normal = _normal(password)
    if len(normal) > LONGEST:
        return False
    return await _POOL.run(_verify, password_hash or _DECOY, normal)


def _normal(password: str) -> str:
    """One form for however the letters are composed; what is far too long stays as it is."""
    return password if len(password) > _LONGEST_RAW else unicodedata.normalize("NFC", password)


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except VerifyMismatchError:
        return False
