"""The books subgraph as an ASGI application."""

from __future__ import annotations

from starlette.applications import Starlette

from subgraphs.books.loaders import Loaders
from subgraphs.books.models import Table
from subgraphs.books.routes import ROUTES
from subgraphs.books.schema import schema
from subgraphs.common.app import create_subgraph
from subgraphs.common.settings import Settings


def create_app(settings: Settings) -> Starlette:
    """Serve the domain's part of the graph, and its files."""
    return create_subgraph(
        "books", schema=schema, metadata=Table.metadata, settings=settings, loaders=Loaders, routes=ROUTES
    )
