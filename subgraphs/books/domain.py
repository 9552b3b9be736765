"""The manifest of the books domain."""

from __future__ import annotations

from subgraphs.books.settings import Settings
from subgraphs.common.manifest import Domain

DOMAIN = Domain(
    "books",
    Settings,
    secrets=("file_signing_key",),
    paths=("/files",),
)
