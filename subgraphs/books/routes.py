"""The routes of the books subgraph beside GraphQL: pictures and print files, at signed URLs."""

from __future__ import annotations

from mimetypes import guess_type

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from subgraphs.books import service
from subgraphs.books.errors import InvalidFileUrl
from subgraphs.common.app_state import get_state
from subgraphs.common.errors import NotFound
from subgraphs.common.storage import LIFETIME


async def serve_file(request: Request) -> Response:
    """Serve a file whose URL is signed and has not expired; 403 or 404 otherwise."""
    key = request.path_params["key"]
    expires, signature = (request.query_params.get(name, "") for name in ("expires", "signature"))
    try:
        file = await service.open_file(get_state(request.app).runtime, key, expires, signature)
    except InvalidFileUrl as invalid:
        return _build_error_response(403, invalid.code, str(invalid))
    except NotFound:
        return _build_error_response(404, "NOT_FOUND", "There is no such file.")
    return StreamingResponse(
        file.chunks,
        media_type=guess_type(key)[0] or "application/octet-stream",
        headers={
            "content-length": str(file.size),
            "cache-control": f"private, max-age={int(LIFETIME.total_seconds())}, immutable",
            "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
            "x-content-type-options": "nosniff",
        },
    )


def _build_error_response(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)


ROUTES = (Route("/files/{key:path}", serve_file),)
