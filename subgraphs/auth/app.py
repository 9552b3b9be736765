"""The auth subgraph as an ASGI application."""

from __future__ import annotations

from starlette.applications import Starlette

from subgraphs.auth.domain import DOMAIN
from subgraphs.auth.loaders import Loaders
from subgraphs.auth.routes import ROUTES
from subgraphs.auth.schema import schema
from subgraphs.auth.settings import Settings
from subgraphs.auth.tokens import load_signer
from subgraphs.common.app import create_subgraph


def create_app(settings: Settings) -> Starlette:
    """Create the subgraph, which also serves the signing keys; SigningKeyMissing when there is none."""
    load_signer(settings)
    return create_subgraph(DOMAIN, settings, schema=schema, loaders=Loaders, routes=ROUTES)
