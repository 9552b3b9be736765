"""Documents that clients name instead of sending: trusted ones of a manifest, and persisted ones.

A trusted document is read from a manifest at start. A persisted document is one that some client has sent
together with its SHA-256; it is kept by that hash after it has proved valid, in a bounded memory and, where
there is one, in a Redis that routers share. A safelist lets nothing run but what the manifest holds.
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
    """A file is not a manifest of documents; the message names it."""


class SharedDocuments(Protocol):
    """Documents that several routers share; one that cannot be reached has none and keeps none."""

    async def get(self, document_id: str) -> str | None:
        """The document of this hash."""
        ...

    async def put(self, document_id: str, text: str) -> None:
        """Keeps a document."""
        ...


class Documents:
    """The documents that a router knows by name."""

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

    async def text(self, query: str | None, document_id: str | None) -> str:
        """The document that a request means.

        Raises:
            DocumentNotFoundError: no document is known by this name.
            DocumentMismatchError: the document sent has another hash.
            DocumentsNotSupportedError: documents cannot be named here.
            UntrustedDocumentError: only trusted documents run, and this is none.
        """
        if query is None:
            return await self._named(document_id or "")
        if self._allowed is not None and query not in self._allowed:
            raise UntrustedDocumentError("Only trusted documents can be run.")
        if self._persisted and document_id and document_id not in self._trusted:
            self._persisted.verify(document_id, query)
        return query

    async def learn(self, query: str | None, document_id: str | None) -> None:
        """Keeps a valid document that was sent with its hash."""
        if self._persisted and query and document_id and document_id not in self._trusted:
            await self._persisted.keep(document_id, query)

    async def _named(self, document_id: str) -> str:
        text = self._trusted.get(document_id)
        if text is None and self._persisted:
            text = await self._persisted.find(document_id)
        if text is not None:
            return text
        if self._trusted or self._persisted:
            raise DocumentNotFoundError("PersistedQueryNotFound")
        raise DocumentsNotSupportedError("PersistedQueryNotSupported")


class PersistedDocuments:
    """Documents by their hash: those used last in memory, the others shared if there is where."""

    def __init__(self, size: int, shared: SharedDocuments | None = None) -> None:
        self._size = size
        self._shared = shared
        self._known: OrderedDict[str, str] = OrderedDict()
        self._characters = 0

    def verify(self, document_id: str, text: str) -> None:
        """Checks that a name is the document's hash.

        Raises:
            DocumentMismatchError: it is not.
        """
        if self._known.get(document_id) != text and _hash(text) != document_id:
            raise DocumentMismatchError("provided sha does not match query")

    async def find(self, document_id: str) -> str | None:
        """The document of this hash, if any router has kept it."""
        text = self._known.get(document_id)
        if text is not None:
            self._known.move_to_end(document_id)
        elif self._shared and (text := await self._shared.get(document_id)) is not None:
            if _hash(text) != document_id:
                return None
            self._remember(document_id, text)
        return text

    async def keep(self, document_id: str, text: str) -> None:
        """Keeps a document by its hash."""
        if document_id not in self._known:
            self._remember(document_id, text)
            if self._shared:
                await self._shared.put(document_id, text)

    def _remember(self, document_id: str, text: str) -> None:
        if document_id not in self._known:
            self._known[document_id] = text
            self._characters += len(text)
        while len(self._known) > self._size or self._characters > MAX_CHARACTERS:
            _, oldest = self._known.popitem(last=False)
            self._characters -= len(oldest)


def read_manifest(file: Path) -> dict[str, str]:
    """The documents of a manifest by their ids.

    It is an object of documents by id, as Relay's compiler writes it, or Apollo's persisted query manifest.

    Raises:
        InvalidManifestError: the file is not a manifest.
    """
    try:
        manifest = orjson.loads(file.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise InvalidManifestError(f"{file} is not a manifest of documents: {error}") from error
    found: dict[str, str] = {}
    for document_id, text in _entries(file, manifest):
        if not (isinstance(document_id, str) and document_id and isinstance(text, str) and text.strip()):
            raise InvalidManifestError(f"{file}: the document {document_id!r} is not a text under an id.")
        if found.setdefault(document_id, text) != text:
            raise InvalidManifestError(f"{file}: there are two documents {document_id!r}.")
    return found


def _entries(file: Path, manifest: Any) -> Iterator[tuple[Any, Any]]:
    operations = manifest.get("operations") if isinstance(manifest, dict) else None
    if isinstance(operations, list) and all(isinstance(each, dict) for each in operations):
        return ((each.get("id"), each.get("body")) for each in operations)
    if isinstance(manifest, dict):
        return iter(manifest.items())
    raise InvalidManifestError(f"{file} is not a manifest of documents: it holds no JSON object.")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
