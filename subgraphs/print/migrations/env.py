"""Alembic's entry point for the migrations of the print domain."""

from __future__ import annotations

from subgraphs.common.migrations import run
from subgraphs.print.models import Table

run("print", Table.metadata)
