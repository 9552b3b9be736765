"""The gate before a subgraph's GraphQL endpoint: it checks the service token and the size of requests."""

from __future__ import annotations

import hmac
from typing import Any, Final

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from subgraphs.common.errors import DomainError
from subgraphs.common.validation import parse_small_number

SERVICE_TOKEN_HEADER: Final = "x-memorable-service-token"  # noqa: S105 - the header's name
MAX_BODY_BYTES: Final = 2 * 1024 * 1024
"""The router accepts 1 MiB from a client, and adds less than 1 MiB."""
MAX_BODY_COMMAS: Final = 50_000
"""Commas between values or within texts; parsing as many values blocks the event loop for up to 10 ms."""
MAX_HEADERS: Final = 100
MAX_HEADER_BYTES: Final = 32 * 1024
MAX_CONTENT_TYPE_BYTES: Final = 256
"""Strawberry parses the parameters of a content type in quadratic time."""


class RefusedRequest(DomainError):
    """A request is refused before it is parsed; `status` is the HTTP status of the response."""

    code = "BAD_REQUEST"

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Gate:
    """ASGI middleware before the GraphQL endpoint; requests to other paths are not checked."""

    def __init__(self, app: ASGIApp, service_token: str) -> None:
        self._app = app
        self._token = service_token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http" or not scope["path"].startswith("/graphql"):
            await self._app(scope, receive, send)
            return
        if refusal := self._check_headers(scope["headers"]):
            await _send_refusal(refusal, scope, receive, send)
            return
        await self._app(scope, _BoundedBody(receive).receive, send)

    def _check_headers(self, headers: list[tuple[bytes, bytes]]) -> RefusedRequest | None:
        if len(headers) > MAX_HEADERS:
            return RefusedRequest(f"There are more than {MAX_HEADERS} headers.", 431)
        if sum(len(name) + len(value) for name, value in headers) > MAX_HEADER_BYTES:
            return RefusedRequest(f"The headers have more than {MAX_HEADER_BYTES} bytes.", 431)
        values = dict(headers)
        token = values.get(SERVICE_TOKEN_HEADER.encode(), b"")
        if self._token and not hmac.compare_digest(token, self._token):
            return RefusedRequest("This service answers the platform's router only.", 401)
        if len(values.get(b"content-type", b"")) > MAX_CONTENT_TYPE_BYTES:
            return RefusedRequest(f"The content type has more than {MAX_CONTENT_TYPE_BYTES} bytes.", 415)
        length = parse_small_number(values.get(b"content-length", b"0").decode("latin-1"), digits=15)
        return _build_too_large() if length is None or length > MAX_BODY_BYTES else None


class _BoundedBody:
    """Receives the body of a request up to the limit, and refuses a longer one."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._remaining_bytes = MAX_BODY_BYTES

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._remaining_bytes -= len(message.get("body", b""))
            if self._remaining_bytes < 0:
                raise _build_too_large()
        return message


def _build_too_large() -> RefusedRequest:
    return RefusedRequest(f"The body has more than {MAX_BODY_BYTES} bytes.", 413)


async def _send_refusal(refusal: RefusedRequest, scope: Scope, receive: Receive, send: Send) -> None:
    body: dict[str, Any] = {"errors": [{"message": str(refusal), "extensions": refusal.extensions}]}
    await JSONResponse(body, status_code=refusal.status)(scope, receive, send)
