"""The orders subgraph as an ASGI application."""

from __future__ import annotations

from starlette.applications import Starlette

from subgraphs.common.app import create_subgraph
from subgraphs.common.settings import DomainSettings
from subgraphs.orders.domain import DOMAIN
from subgraphs.orders.loaders import Loaders
from subgraphs.orders.schema import schema


def create_app(settings: DomainSettings) -> Starlette:
    """Create the subgraph."""
    return create_subgraph(DOMAIN, settings, schema=schema, loaders=Loaders)
