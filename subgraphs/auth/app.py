"""The auth subgraph as an ASGI application."""

from __future__ import annotations

from starlette.applications import Starlette

from subgraphs.auth.loaders import Loaders
from subgraphs.auth.models import Table
from subgraphs.auth.routes import ROUTES
from subgraphs.auth.schema import schema
from subgraphs.auth.tokens import signer
from subgraphs.common.app import create_subgraph
from subgraphs.common.settings import Settings


def create_app(settings: Settings) -> Starlette:
    """Serve the domain's part of the graph, and its keys; SigningKeyMissing when there is none."""
    signer(settings)
    return create_subgraph(
        "auth", schema=schema, metadata=Table.metadata, settings=settings, loaders=Loaders, routes=ROUTES
    )
