"""The routes at which a subgraph receives webhooks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from subgraphs.common import webhooks
from subgraphs.common.app_state import get_state
from subgraphs.common.errors import DomainError
from subgraphs.common.webhooks import InvalidWebhook, WebhookSource

MAX_BODY_BYTES: Final = 1024 * 1024
"""As much as the router accepts."""


def build_webhook_routes(sources: Iterable[WebhookSource]) -> list[BaseRoute]:
    """Build a route for each sender."""
    return [_build_route(source) for source in sources]


def _build_route(source: WebhookSource) -> Route:
    async def receive(request: Request) -> Response:
        """Acknowledge an event with 200, also one that has been received before; 400 or 413 otherwise."""
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                return _build_refusal(413, InvalidWebhook("The body is too large."))
        try:
            await webhooks.receive(get_state(request.app).runtime, source, request.headers, bytes(body))
        except InvalidWebhook as invalid:
            return _build_refusal(400, invalid)
        return JSONResponse({"received": True})

    return Route(f"/webhooks/{source.name}", receive, methods=["POST"])


def _build_refusal(status: int, error: DomainError) -> Response:
    return JSONResponse({"error": {"code": error.code, "message": str(error)}}, status_code=status)
