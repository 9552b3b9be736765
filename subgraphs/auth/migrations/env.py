"""Alembic's entry point for the migrations of the auth domain."""

from __future__ import annotations

from subgraphs.auth.models import Table
from subgraphs.common.migrations import run

run("auth", Table.metadata)
