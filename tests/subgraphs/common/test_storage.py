"""The object store and its signed URLs."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from subgraphs.common.errors import NotFound
from subgraphs.common.storage import LIFETIME, Storage

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEY = "snapshots/snp_1/interior.pdf"


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(f"file://{tmp_path}/files", "http://localhost:3002/files", "secret")


def sign(storage: Storage, key: str = KEY) -> tuple[str, str]:
    query = parse_qs(urlsplit(storage.sign_url(key, NOW)).query)
    return query["expires"][0], query["signature"][0]


async def test_a_stored_file_is_read_unchanged(storage: Storage) -> None:
    assert await storage.put(KEY, b"content") == hashlib.sha256(b"content").hexdigest()
    assert await storage.get(KEY) == b"content"


async def test_a_file_can_be_replaced_and_deleted(storage: Storage) -> None:
    await storage.put(KEY, b"first")
    await storage.put(KEY, b"second")
    assert await storage.get(KEY) == b"second"
    await storage.delete([KEY, "snapshots/none.pdf"])
    with pytest.raises(NotFound):
        await storage.get(KEY)


async def test_nothing_outside_of_the_store_can_be_read(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    with pytest.raises(Exception, match=r"(?i)not found|path|\.\."):
        await storage.get("../secret")


def test_a_signed_url_is_valid_for_its_file_until_it_expires(storage: Storage) -> None:
    expires, signature = sign(storage)
    assert storage.sign_url(KEY, NOW).startswith(f"http://localhost:3002/files/{KEY}?expires=")
    assert storage.verify(KEY, expires, signature, NOW)
    assert storage.verify(KEY, expires, signature, NOW + LIFETIME)
    assert not storage.verify(KEY, expires, signature, NOW + LIFETIME + timedelta(seconds=1))


def test_a_url_that_was_changed_is_invalid(storage: Storage) -> None:
    expires, signature = sign(storage)
    assert not storage.verify("snapshots/snp_2/interior.pdf", expires, signature, NOW)
    assert not storage.verify(KEY, str(int(expires) + 1), signature, NOW)
    assert not storage.verify(KEY, expires, signature[:-1] + ("0" if signature[-1] != "0" else "1"), NOW)


@pytest.mark.parametrize("expires", ["", "soon", "-1", "1e12", "²", "٣"])
def test_an_expiry_that_is_not_a_number_is_refused(storage: Storage, expires: str) -> None:
    assert not storage.verify(KEY, expires, sign(storage)[1], NOW)


def test_a_signature_of_any_characters_is_compared_safely(storage: Storage) -> None:
    assert not storage.verify(KEY, sign(storage)[0], "😀", NOW)


def test_another_secret_gives_another_signature(storage: Storage, tmp_path: Path) -> None:
    other = Storage(f"file://{tmp_path}/files", "http://localhost:3002/files", "another")
    assert sign(storage) != sign(other)
