"""Passwords as argon2id hashes, computed beside the event loop and never many at once."""

from __future__ import annotations

import asyncio
import os
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from subgraphs.common.errors import BadUserInput

SHORTEST, LONGEST = 10, 128

_HASHER: Final = PasswordHasher()
# Each hash takes 64 MiB and a core for some 50 ms: more at once would only starve everything else.
_EXECUTOR: Final = ThreadPoolExecutor(max_workers=min(2, os.cpu_count() or 1), thread_name_prefix="argon2")
_DECOY: Final = (
    f"$argon2id$v=19$m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    f"${'A' * 22}${'A' * 43}"
)


def acceptable(password: str) -> str:
    """Return a new password in the form that is hashed; BadUserInput when it is too short or too long."""
    normal = unicodedata.normalize("NFC", password)
    if not SHORTEST <= len(normal) <= LONGEST:
        raise BadUserInput("password", f"password must have from {SHORTEST} to {LONGEST} characters.")
    return normal


async def hash_password(password: str) -> str:
    """Hash a password with a salt of its own."""
    return await asyncio.get_running_loop().run_in_executor(_EXECUTOR, _HASHER.hash, password)


async def matches(password: str, password_hash: str | None) -> bool:
    """Tell whether this is the password; without a hash it takes as long, and is false."""
    normal = unicodedata.normalize("NFC", password)
    if len(normal) > LONGEST:
        return False
    known = password_hash or _DECOY
    return await asyncio.get_running_loop().run_in_executor(_EXECUTOR, _verify, known, normal)


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except VerifyMismatchError:
        return False
