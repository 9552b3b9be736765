"""The routes of the auth subgraph beside GraphQL: the public signing keys."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from subgraphs.auth import service
from subgraphs.common.app_state import get_state


async def serve_keys(request: Request) -> Response:
    """Serve the JSON Web Key Set (RFC 7517) that verifies access tokens."""
    keys = service.list_public_keys(get_state(request.app).runtime)
    return JSONResponse({"keys": keys}, headers={"cache-control": "public, max-age=300"})


ROUTES = (Route("/.well-known/jwks.json", serve_keys),)
