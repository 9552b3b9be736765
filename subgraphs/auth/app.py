"""The auth subgraph: GraphQL, and the public signing keys."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from subgraphs.auth.loaders import Loaders
from subgraphs.auth.models import Table
from subgraphs.auth.schema import schema
from subgraphs.auth.tokens import signer
from subgraphs.common.app import create_subgraph
from subgraphs.common.settings import Settings


def create_app(settings: Settings) -> Starlette:
    """The application; SigningKeyMissing when there is no key to sign with."""
    keys = {"keys": [signer(settings).public_key]}

    async def jwks(_: Request) -> Response:
        return JSONResponse(keys, headers={"cache-control": "public, max-age=300"})

    return create_subgraph(
        "auth",
        schema=schema,
        metadata=Table.metadata,
        settings=settings,
        loaders=Loaders,
        routes=[Route("/.well-known/jwks.json", jwks)],
    )
