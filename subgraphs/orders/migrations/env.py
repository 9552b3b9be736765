"""Alembic's entry point for the migrations of the orders domain."""

from __future__ import annotations

from subgraphs.common.migrations import run
from subgraphs.orders.models import Table

run("orders", Table.metadata)
