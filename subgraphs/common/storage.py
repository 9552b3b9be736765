"""The object store for pictures and print files, and the signed URLs that serve them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import obstore
from obstore.exceptions import NotFoundError
from obstore.store import ObjectStore, from_url

from subgraphs.common.errors import NotFound
from subgraphs.common.validation import parse_small_number

if TYPE_CHECKING:
    from obstore._obstore import GetResult

_CHUNK_BYTES = 256 * 1024
LIFETIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is open; its size is in bytes."""

    size: int
    chunks: AsyncIterator[bytes]


class Storage:
    """The object store: a local folder, or an S3 bucket."""

    def __init__(self, url: str, files_url: str, signing_key: str) -> None:
        if url.startswith("file://"):
            Path(urlsplit(url).path).mkdir(parents=True, exist_ok=True)
        self._store: ObjectStore = from_url(url)
        self._files_url = files_url
        self._signing_key = signing_key.encode()

    async def put(self, key: str, content: bytes) -> str:
        """Store a file, replacing any with the same key; return its SHA-256 in hex."""
        await obstore.put_async(self._store, key, content)
        return hashlib.sha256(content).hexdigest()

    async def get(self, key: str) -> bytes:
        """Read a file; NotFound when there is none."""
        return bytes(await (await self._get(key)).bytes_async())

    async def open(self, key: str) -> StoredFile:
        """Open a file to be sent while it is read; NotFound when there is none."""
        result = await self._get(key)
        return StoredFile(result.meta["size"], _read_chunks(result))

    async def delete(self, keys: list[str]) -> None:
        """Delete files; missing ones are ignored."""
        for key in keys:
            try:
                await obstore.delete_async(self._store, key)
            except (NotFoundError, FileNotFoundError):
                continue

    def sign_url(self, key: str, now: datetime) -> str:
        """Sign a URL that serves a file for an hour."""
        expires = int((now + LIFETIME).timestamp())
        return f"{self._files_url}/{quote(key)}?expires={expires}&signature={self._sign(key, expires)}"

    def verify(self, key: str, expires: str, signature: str, now: datetime) -> bool:
        """Whether the signature of a URL is valid and has not expired."""
        until = parse_small_number(expires, digits=12)
        if until is None or until < now.timestamp():
            return False
        return hmac.compare_digest(self._sign(key, until).encode(), signature.encode())

    async def _get(self, key: str) -> GetResult:
        try:
            return await obstore.get_async(self._store, key)
        except (NotFoundError, FileNotFoundError) as error:
            raise NotFound("File", key) from error

    def _sign(self, key: str, expires: int) -> str:
        return hmac.new(self._signing_key, f"{key}\n{expires}".encode(), hashlib.sha256).hexdigest()


async def _read_chunks(result: GetResult) -> AsyncIterator[bytes]:
    async for chunk in result.stream(min_chunk_size=_CHUNK_BYTES):
        yield bytes(chunk)
