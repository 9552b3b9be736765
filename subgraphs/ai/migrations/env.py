"""Alembic's entry point for the migrations of the ai domain."""

from __future__ import annotations

from subgraphs.ai.models import Table
from subgraphs.common.migrations import run

run("ai", Table.metadata)
