"""Files in the object store: opening one by its signed URL, and deleting them."""

from __future__ import annotations

from collections.abc import Sequence

from subgraphs.books.errors import InvalidFileUrl
from subgraphs.common.runtime import Runtime
from subgraphs.common.storage import StoredFile


async def open_file(runtime: Runtime, key: str, expires: str, signature: str) -> StoredFile:
    """Open a file by its signed URL.

    InvalidFileUrl when the signature is not valid or has expired, NotFound when there is no such file.
    """
    if not runtime.storage.verify(key, expires, signature, runtime.clock()):
        raise InvalidFileUrl
    return await runtime.storage.open(key)


async def delete_files(runtime: Runtime, keys: Sequence[str]) -> None:
    """Delete files from the store; missing ones are ignored."""
    await runtime.storage.delete(list(keys))
