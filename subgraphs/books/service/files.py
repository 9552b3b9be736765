"""Use cases of the files in the store: reading one by its signed address, and deleting them."""

from __future__ import annotations

from collections.abc import Sequence

from subgraphs.books.errors import InvalidAddress
from subgraphs.common.runtime import Runtime


async def read_file(runtime: Runtime, key: str, expires: str, signature: str) -> bytes:
    """Read a file for whoever has a valid address of it.

    InvalidAddress when the address was not signed here or has expired, NotFound when the file is gone.
    """
    if not runtime.storage.verify(key, expires, signature, runtime.clock()):
        raise InvalidAddress
    return await runtime.storage.get(key)


async def delete_files(runtime: Runtime, keys: Sequence[str]) -> None:
    """Remove files from the store; those that are gone already are passed over."""
    await runtime.storage.delete(list(keys))
