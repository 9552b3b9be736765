"""The public half of the key that signs access tokens."""

from __future__ import annotations

from typing import Any

from subgraphs.auth.domain import Settings
from subgraphs.auth.tokens import signer
from subgraphs.common.runtime import Runtime


def public_keys(runtime: Runtime) -> list[dict[str, Any]]:
    """The signing keys as JWKs (RFC 7517)."""
    return [signer(runtime.settings_of(Settings)).public_key]
