"""The manifest of the auth domain."""

from __future__ import annotations

from subgraphs.auth.settings import Settings
from subgraphs.common.manifest import Domain

DOMAIN = Domain(
    "auth",
    Settings,
    secrets=("auth_signing_key_file",),
    serves={"jwks_url": "http://127.0.0.1:{port}/.well-known/jwks.json"},
)
