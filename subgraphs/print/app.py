"""Print as an ASGI application."""

from __future__ import annotations

from starlette.applications import Starlette

from subgraphs.common.app import create_subgraph
from subgraphs.common.settings import Settings
from subgraphs.print.loaders import Loaders
from subgraphs.print.models import Table
from subgraphs.print.schema import schema


def create_app(settings: Settings) -> Starlette:
    """The print subgraph."""
    return create_subgraph(
        "print", schema=schema, metadata=Table.metadata, settings=settings, loaders=Loaders
    )
