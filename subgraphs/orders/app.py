"""The orders subgraph."""

from __future__ import annotations

from starlette.applications import Starlette

from subgraphs.common.app import create_subgraph
from subgraphs.common.settings import Settings
from subgraphs.orders.loaders import Loaders
from subgraphs.orders.models import Table
from subgraphs.orders.schema import schema


def create_app(settings: Settings) -> Starlette:
    """The application."""
    return create_subgraph(
        "orders", schema=schema, metadata=Table.metadata, settings=settings, loaders=Loaders
    )
