"""The manifest of the orders domain."""

from __future__ import annotations

from subgraphs.common.manifest import Domain
from subgraphs.orders.settings import Settings

DOMAIN = Domain("orders", Settings, paths=("/webhooks/offline-payments",))
