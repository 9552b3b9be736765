"""The print subgraph as an ASGI application."""

from __future__ import annotations

from starlette.applications import Starlette

from subgraphs.common.app import create_subgraph
from subgraphs.common.settings import DomainSettings
from subgraphs.common.webhook_routes import build_webhook_routes
from subgraphs.print.domain import DOMAIN
from subgraphs.print.loaders import Loaders
from subgraphs.print.schema import schema
from subgraphs.print.webhooks import SOURCES


def create_app(settings: DomainSettings) -> Starlette:
    """Create the subgraph, which also receives webhooks."""
    routes = build_webhook_routes(SOURCES.values())
    return create_subgraph(DOMAIN, settings, schema=schema, loaders=Loaders, routes=routes)
