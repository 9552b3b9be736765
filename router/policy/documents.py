"""Documents that clients send by id: the trusted documents of a manifest, and automatic persisted queries.

Trusted documents are read from a manifest at start. A persisted query is a document that a client has sent
with its SHA-256 hash; once it has proved valid it is kept by that hash, in a bounded cache and optionally in
a Redis that routers share. With a safelist, only trusted documents run.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import orjson

from router.errors import (
    DocumentMismatchError,
    DocumentNotFoundError,
    DocumentsNotSupportedError,
    UntrustedDocumentError,
)

MAX_CHARACTERS = 5_000_000


class InvalidManifestError(ValueError):
    """A file is not a valid manifest of documents; the message names it."""


class SharedDocuments(Protocol):
    """A store of documents that routers share; while it is unavailable it has none and stores none."""

    async def get(self, document_id: str) -> str | None:
        """The document with this hash, or None."""
        ...

    async def put(self, document_id: str, text: str) -> None:
        """Stores a document by its hash."""
        ...


class Documents:
    """The documents that a router knows by id."""

    def __init__(
        self,
        trusted: Mapping[str, str] | None = None,
        *,
        safelist: bool = False,
        persisted: PersistedDocuments | None = None,
    ) -> None:
        self._trusted = trusted or {}
        self._allowed = frozenset(self._trusted.values()) if safelist else None
        self._persisted = None if safelist else persisted

    async def resolve(self, query: str | None, document_id: str | None) -> str:
        """The text of a request's document.

        Raises:
            DocumentNotFoundError: no document has this id.
            DocumentMismatchError: the document does not match its hash.
            DocumentsNotSupportedError: there are no documents by id.
            UntrustedDocumentError: only trusted documents run, and this is not one.
        """
        if query is None:
            return await self._find(document_id or "")
        if self._allowed is not None and query not in self._allowed:
            raise UntrustedDocumentError("Only trusted documents are allowed.")
        if self._persisted and document_id and document_id not in self._trusted:
            self._persisted.verify(document_id, query)
        return query

    async def persist(self, query: str | None, document_id: str | None) -> None:
        """Keeps a document that has proved valid, if it was sent with its hash."""
        if self._persisted and query and document_id and document_id not in self._trusted:
            await self._persisted.put(document_id, query)

    async def _find(self, document_id: str) -> str:
        text = self._trusted.get(document_id)
        if text is None and self._persisted:
            text = await self._persisted.get(document_id)
        if text is not None:
            return text
        if self._trusted or self._persisted:
            raise DocumentNotFoundError("PersistedQueryNotFound")
        raise DocumentsNotSupportedError("PersistedQueryNotSupported")


class PersistedDocuments:
    """Documents by hash: a bounded LRU cache, backed by a shared store if there is one."""

    def __init__(self, size: int, shared: SharedDocuments | None = None) -> None:
        self._size = size
        self._shared = shared
        self._cache: OrderedDict[str, str] = OrderedDict()
        self._characters = 0

    def verify(self, document_id: str, text: str) -> None:
        """Checks that an id is the document's hash.

        Raises:
            DocumentMismatchError: it is not.
        """
        if self._cache.get(document_id) != text and _hash(text) != document_id:
            raise DocumentMismatchError("provided sha does not match query")

    async def get(self, document_id: str) -> str | None:
        """The document with this hash, or None."""
        text = self._cache.get(document_id)
        if text is not None:
            self._cache.move_to_end(document_id)
        elif self._shared and (text := await self._shared.get(document_id)) is not None:
            if _hash(text) != document_id:
                return None
            self._cache_text(document_id, text)
        return text

    async def put(self, document_id: str, text: str) -> None:
        """Stores a document by its hash."""
        if document_id not in self._cache:
            self._cache_text(document_id, text)
            if self._shared:
                await self._shared.put(document_id, text)

    def _cache_text(self, document_id: str, text: str) -> None:
        if document_id not in self._cache:
            self._cache[document_id] = text
            self._characters += len(text)
        while len(self._cache) > self._size or self._characters > MAX_CHARACTERS:
            _, oldest = self._cache.popitem(last=False)
            self._characters -= len(oldest)


def read_manifest(file: Path) -> dict[str, str]:
    """The documents of a manifest, by id.

    A manifest is a JSON object of documents by id, as Relay's compiler writes it, or Apollo's persisted query
    manifest.

    Raises:
        InvalidManifestError: the file is not a manifest.
    """
    try:
        manifest = orjson.loads(file.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise InvalidManifestError(f"{file} is not a manifest of documents: {error}") from error
    documents: dict[str, str] = {}
    for document_id, text in _read_entries(file, manifest):
        if not (isinstance(document_id, str) and document_id and isinstance(text, str) and text.strip()):
            raise InvalidManifestError(f"{file}: the document {document_id!r} has no text or no id.")
        if documents.setdefault(document_id, text) != text:
            raise InvalidManifestError(f"{file}: two different documents have the id {document_id!r}.")
    return documents


def _read_entries(file: Path, manifest: Any) -> Iterator[tuple[Any, Any]]:
    operations = manifest.get("operations") if isinstance(manifest, dict) else None
    if isinstance(operations, list) and all(isinstance(each, dict) for each in operations):
        return ((each.get("id"), each.get("body")) for each in operations)
    if isinstance(manifest, dict):
        return iter(manifest.items())
    raise InvalidManifestError(f"{file} is not a manifest of documents: it is not a JSON object.")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
