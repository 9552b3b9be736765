"""The ai subgraph as an ASGI application."""

from __future__ import annotations

from starlette.applications import Starlette

from subgraphs.ai.loaders import Loaders
from subgraphs.ai.models import Table
from subgraphs.ai.schema import schema
from subgraphs.common.app import create_subgraph
from subgraphs.common.settings import Settings


def create_app(settings: Settings) -> Starlette:
    """Serve the domain's part of the graph."""
    return create_subgraph("ai", schema=schema, metadata=Table.metadata, settings=settings, loaders=Loaders)
