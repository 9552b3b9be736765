"""Origin checks: WebSockets of browsers are allowed from the configured origins and the router's own.

CORS does not apply to WebSockets, so the server itself checks the origin (RFC 6455 section 10.2).
"""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers

# The response headers that CORS exposes to pages.
EXPOSED_HEADERS = ("allow", "retry-after", "www-authenticate")


def may_connect(headers: Headers, origins: Collection[str]) -> bool:
    """Whether a WebSocket may be opened.

    Without `origins` any may, and so may one without an Origin header, which is not from a browser.
    """
    origin = headers.get("origin")
    if origin is None or not origins or origin in origins or "*" in origins:
        return True
    return origin.partition("://")[2] == headers.get("host")
