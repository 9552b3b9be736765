"""Alembic's entry point for the migrations of the books domain."""

from __future__ import annotations

from subgraphs.books.models import Table
from subgraphs.common.migrations import run

run("books", Table.metadata)
