"""The key that signs access tokens."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from subgraphs.auth.settings import Settings
from subgraphs.auth.tokens import SigningKeyMissing, create_refresh_token, hash_refresh_token, load_signer


def test_without_a_key_file_the_message_names_the_setting() -> None:
    with pytest.raises(SigningKeyMissing, match="AUTH_SIGNING_KEY_FILE"):
        load_signer(Settings(auth_signing_key_file=None))


def test_a_file_without_a_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_text("not a key")
    with pytest.raises(SigningKeyMissing, match="cannot be read"):
        load_signer(Settings(auth_signing_key_file=path))


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    key = rsa.generate_private_key(65537, 2048)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    with pytest.raises(SigningKeyMissing, match="not an ES256"):
        load_signer(Settings(auth_signing_key_file=path))


def test_refresh_tokens_are_long_and_never_the_same() -> None:
    tokens = {create_refresh_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(token) == 43 for token in tokens)
    assert len({hash_refresh_token(token) for token in tokens}) == 100
