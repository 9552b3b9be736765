"""The public keys that verify access tokens."""

from __future__ import annotations

from typing import Any

from subgraphs.auth.settings import Settings
from subgraphs.auth.tokens import load_signer
from subgraphs.common.runtime import Runtime


def list_public_keys(runtime: Runtime) -> list[dict[str, Any]]:
    """List the public keys as JWKs (RFC 7517)."""
    return [load_signer(runtime.get_settings(Settings)).public_key]
