"""The manifest of the print domain."""

from __future__ import annotations

from subgraphs.common.manifest import Domain
from subgraphs.print.settings import Settings

DOMAIN = Domain("print", Settings, paths=("/webhooks/offline-print",))
