"""The secrets of a local platform, generated on first start and readable by their owner only."""

from __future__ import annotations

import json
import os
import secrets as random
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from infra.local.folder import DataFolder
from subgraphs.domains import DOMAINS

GENERATED = (
    "POSTGRES_PASSWORD",
    *(domain.password_variable for domain in DOMAINS.values()),
    "REDIS_PASSWORD",
    "FILE_SIGNING_KEY",
    "SERVICE_TOKEN",
    "OFFLINE_PAYMENTS_WEBHOOK_SECRET",
    "OFFLINE_PRINT_WEBHOOK_SECRET",
)
# How the names of a server's passwords end.
PASSWORDS = {"postgres": "POSTGRES_PASSWORD", "valkey": "REDIS_PASSWORD"}


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """Generated passwords and tokens, and the signing key's path. It has no repr, so it cannot be logged."""

    values: dict[str, str]
    signing_key_file: Path

    def select_passwords(self, server: str) -> dict[str, str]:
        """Select the passwords of an embedded server, which no setting overrides."""
        suffix = PASSWORDS[server]
        return {name: value for name, value in self.values.items() if name.endswith(suffix)}


def ensure_secrets(folder: DataFolder) -> Secrets:
    """Read the folder's secrets, generating missing ones."""
    values_file = folder.secrets / "values.json"
    key_file = folder.secrets / "auth-signing-key.pem"
    known: dict[str, str] = json.loads(values_file.read_text()) if values_file.exists() else {}
    missing = {name: random.token_hex(32) for name in GENERATED if name not in known}
    if missing:
        _write_private(values_file, json.dumps(known | missing, indent=2).encode())
    if not key_file.exists():
        _write_private(key_file, _generate_signing_key())
    return Secrets(known | missing, key_file)


def _generate_signing_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write_private(path: Path, content: bytes) -> None:
    """Write the file atomically, so that an interrupted start leaves the old file or none."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(content)
    draft.replace(path)
