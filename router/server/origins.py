"""Which pages may open sockets and read answers: those of the origins that are set, and the router's own.

Browsers ask before a page reads an answer of another origin, but not before it opens a socket there.
"""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers

# What a page has to read of an answer beside its body: which method, which token, when to come back.
EXPOSED_HEADERS = ("allow", "retry-after", "www-authenticate")


def may_connect(headers: Headers, origins: Collection[str]) -> bool:
    """Whether a page may open a socket, or whoever is no page; without origins set, every page may."""
    origin = headers.get("origin")
    if origin is None or not origins or origin in origins or "*" in origins:
        return True
    return origin.partition("://")[2] == headers.get("host")
