"""Trusted documents, persisted documents and the safelist."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from router.errors import (
    DocumentMismatchError,
    DocumentNotFoundError,
    DocumentsNotSupportedError,
    UntrustedDocumentError,
)
from router.policy import documents
from router.policy.documents import Documents, InvalidManifestError, PersistedDocuments, read_manifest

TEXT = "{ average }"
HASH = hashlib.sha256(TEXT.encode()).hexdigest()


class SharedStore:
    """A document store that two routers share."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    async def get(self, document_id: str) -> str | None:
        return self.texts.get(document_id)

    async def put(self, document_id: str, text: str) -> None:
        self.texts[document_id] = text


def build_documents(size: int = 10, shared: SharedStore | None = None) -> Documents:
    return Documents(persisted=PersistedDocuments(size, shared))


def write_manifest(folder: Path, content: Any) -> Path:
    file = folder / "manifest.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


@pytest.mark.parametrize(
    "content",
    [
        {"one": TEXT},
        {
            "format": "apollo-persisted-query-manifest",
            "version": 1,
            "operations": [{"id": "one", "name": "Average", "type": "query", "body": TEXT}],
        },
    ],
)
def test_a_manifest_is_read_in_both_formats(tmp_path: Path, content: Any):
    assert read_manifest(write_manifest(tmp_path, content)) == {"one": TEXT}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", " is not a manifest of documents: "),
        ("[]", " is not a manifest of documents: it is not a JSON object."),
        ({"one": 1}, ": the document 'one' has no text or no id."),
        ({"one": " "}, ": the document 'one' has no text or no id."),
        ({"operations": [{"body": TEXT}]}, ": the document None has no text or no id."),
        (
            {"operations": [{"id": "one", "body": TEXT}, {"id": "one", "body": "{ b }"}]},
            ": two different documents have the id 'one'.",
        ),
    ],
)
def test_an_invalid_manifest_is_named_in_the_error(tmp_path: Path, content: Any, message: str):
    file = write_manifest(tmp_path, content)
    with pytest.raises(InvalidManifestError) as refusal:
        read_manifest(file)
    assert str(refusal.value).startswith(f"{file}{message}")


async def test_a_trusted_document_is_resolved_by_its_id():
    known = Documents({"one": TEXT})
    assert await known.resolve(None, "one") == TEXT
    with pytest.raises(DocumentNotFoundError):
        await known.resolve(None, "two")


async def test_without_a_safelist_other_texts_run_beside_trusted_ones():
    assert await Documents({"one": TEXT}).resolve("{ b }", None) == "{ b }"


async def test_a_safelist_lets_only_trusted_texts_run():
    known = Documents({"one": TEXT}, safelist=True, persisted=PersistedDocuments(10))
    assert await known.resolve(None, "one") == TEXT
    assert await known.resolve(TEXT, None) == TEXT
    for document_id in (None, "one", hashlib.sha256(b"{ b }").hexdigest()):
        with pytest.raises(UntrustedDocumentError):
            await known.resolve("{ b }", document_id)


async def test_nothing_is_persisted_under_a_safelist():
    known = Documents({"one": TEXT}, safelist=True, persisted=PersistedDocuments(10))
    await known.persist(TEXT, HASH)
    with pytest.raises(DocumentNotFoundError):
        await known.resolve(None, HASH)


async def test_a_document_is_persisted_once_it_was_sent_with_its_hash():
    known = build_documents()
    with pytest.raises(DocumentNotFoundError) as refusal:
        await known.resolve(None, HASH)
    assert refusal.value.message == "PersistedQueryNotFound"
    assert await known.resolve(TEXT, HASH) == TEXT
    await known.persist(TEXT, HASH)
    assert await known.resolve(None, HASH) == TEXT


async def test_a_document_under_another_hash_is_refused():
    with pytest.raises(DocumentMismatchError):
        await build_documents().resolve(TEXT, "0" * 64)


async def test_an_id_is_refused_where_documents_are_not_supported():
    with pytest.raises(DocumentsNotSupportedError):
        await Documents().resolve(None, HASH)
    assert await Documents().resolve(TEXT, HASH) == TEXT


async def test_the_least_recently_used_document_is_evicted():
    known = build_documents(size=2)
    texts = ["{ a }", "{ b }", "{ c }"]
    names = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    await known.persist(texts[0], names[0])
    await known.persist(texts[1], names[1])
    await known.resolve(None, names[0])
    await known.persist(texts[2], names[2])
    assert await known.resolve(None, names[0]) == texts[0]
    with pytest.raises(DocumentNotFoundError):
        await known.resolve(None, names[1])


async def test_long_documents_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(documents, "MAX_CHARACTERS", len(TEXT) - 1)
    known = build_documents()
    await known.persist(TEXT, HASH)
    with pytest.raises(DocumentNotFoundError):
        await known.resolve(None, HASH)


async def test_routers_share_persisted_documents():
    shared = SharedStore()
    await build_documents(shared=shared).persist(TEXT, HASH)
    assert await build_documents(shared=shared).resolve(None, HASH) == TEXT


async def test_a_shared_document_with_a_wrong_hash_is_ignored():
    shared = SharedStore()
    shared.texts[HASH] = "mutation { ruin }"
    with pytest.raises(DocumentNotFoundError):
        await build_documents(shared=shared).resolve(None, HASH)
