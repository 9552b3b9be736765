"""Password hashing with argon2id, in a few threads."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from subgraphs.common.errors import BadUserInput, Overloaded

MIN_LENGTH, MAX_LENGTH = 10, 128
# NFC may shorten a password.
_MAX_RAW_LENGTH: Final = 4 * MAX_LENGTH

_HASHER: Final = PasswordHasher()
_DECOY: Final = (
    f"$argon2id$v=19$m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    f"${'A' * 22}${'A' * 43}"
)
_RETRY_AFTER: Final = 2
_NICE_INCREMENT: Final = 10
_Result = TypeVar("_Result")


class HashingPool:
    """A pool of threads for hashing, with a bounded queue.

    Each hash takes 64 MiB and some 50 ms of CPU time, so many at once would starve everything else. Calls
    that would wait long are refused, and the event loops of all processes have priority over hashing.
    """

    def __init__(self, threads: int, waiting: int) -> None:
        self._executor = ThreadPoolExecutor(
            threads, thread_name_prefix="argon2", initializer=_lower_thread_priority
        )
        self._slots = BoundedSemaphore(threads + waiting)

    async def run(self, work: Callable[..., _Result], *arguments: str) -> _Result:
        """Run a function in one of the threads; Overloaded when the queue is full."""
        if not self._slots.acquire(blocking=False):
            raise Overloaded("Too many people are signing in; try again soon.", retry_after=_RETRY_AFTER)
        future = self._executor.submit(work, *arguments)
        # Hashing continues when its caller disconnects, so the slot is released when the thread is free.
        future.add_done_callback(lambda _: self._slots.release())
        return await asyncio.wrap_future(future)


def _lower_thread_priority() -> None:
    """Lower the priority of this thread and of those that argon2 starts from it.

    A hash runs in several threads, which would otherwise share the processors evenly with the event loops.
    Only Linux has a priority for each thread.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _NICE_INCREMENT)


_POOL: Final = HashingPool(threads=min(2, os.cpu_count() or 1), waiting=20)


def check_password(password: str) -> str:
    """Return a new password, normalised; BadUserInput when it is too short or too long."""
    normal = _normalize(password)
    if not MIN_LENGTH <= len(normal) <= MAX_LENGTH:
        raise BadUserInput("password", f"password must have from {MIN_LENGTH} to {MAX_LENGTH} characters.")
    return normal


async def hash_password(password: str) -> str:
    """Hash a password with a random salt."""
    return await _POOL.run(_HASHER.hash, password)


async def verify_password(password: str, password_hash: str | None) -> bool:
    """Whether a password matches a hash; without a hash it takes as long, and is false."""
    normal = _normalize(password)
    if len(normal) > MAX_LENGTH:
        return False
    return await _POOL.run(_verify, password_hash or _DECOY, normal)


def _normalize(password: str) -> str:
    """Normalise a password to NFC; one that is far too long is left as it is."""
    return password if len(password) > _MAX_RAW_LENGTH else unicodedata.normalize("NFC", password)


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except VerifyMismatchError:
        return False
