"""The manifest of the ai domain."""

from __future__ import annotations

from subgraphs.ai.settings import Settings
from subgraphs.common.manifest import Domain

DOMAIN = Domain("ai", Settings)
