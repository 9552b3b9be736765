"""The books subgraph as an ASGI application."""

from __future__ import annotations

from starlette.applications import Starlette

from subgraphs.books.domain import DOMAIN
from subgraphs.books.loaders import Loaders
from subgraphs.books.routes import ROUTES
from subgraphs.books.schema import schema
from subgraphs.common.app import create_subgraph
from subgraphs.common.settings import DomainSettings


def create_app(settings: DomainSettings) -> Starlette:
    """Create the subgraph, which also serves files."""
    return create_subgraph(DOMAIN, settings, schema=schema, loaders=Loaders, routes=ROUTES)
