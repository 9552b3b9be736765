"""The signed addresses of pictures and print files."""

from __future__ import annotations

from mimetypes import guess_type

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from subgraphs.common.errors import NotFound
from subgraphs.common.runtime import Runtime
from subgraphs.common.storage import LIFETIME


async def serve_file(request: Request) -> Response:
    """Serve a file to whoever has a valid address of it; the signature says all that has to be known."""
    runtime: Runtime = request.app.state.runtime
    key = request.path_params["key"]
    expires, signature = (request.query_params.get(name, "") for name in ("expires", "signature"))
    if not runtime.storage.verify(key, expires, signature, runtime.clock()):
        return _refusal(403, "FORBIDDEN", "This address is not valid, or no longer.")
    try:
        content = await runtime.storage.get(key)
    except NotFound:
        return _refusal(404, "NOT_FOUND", "There is no such file.")
    return Response(
        content,
        media_type=guess_type(key)[0] or "application/octet-stream",
        headers={
            "cache-control": f"private, max-age={int(LIFETIME.total_seconds())}, immutable",
            "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
            "x-content-type-options": "nosniff",
        },
    )


def _refusal(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)


ROUTES = (Route("/files/{key:path}", serve_file),)
