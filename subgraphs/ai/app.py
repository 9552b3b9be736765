"""The ai subgraph as an ASGI application."""

from __future__ import annotations

from starlette.applications import Starlette

from subgraphs.ai.domain import DOMAIN
from subgraphs.ai.loaders import Loaders
from subgraphs.ai.schema import schema
from subgraphs.common.app import create_subgraph
from subgraphs.common.settings import DomainSettings


def create_app(settings: DomainSettings) -> Starlette:
    """Create the subgraph."""
    return create_subgraph(DOMAIN, settings, schema=schema, loaders=Loaders)
