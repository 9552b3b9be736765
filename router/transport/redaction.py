"""Redaction of subgraph errors: only the path and the code remain.

Messages may contain internal details. A code is an identifier that clients branch on.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import aclosing
from typing import Any

from router.transport.base import FetchFailure, RequestContext, StreamSource, SubgraphStream, Transport

ALL = "*"
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


class Redaction:
    """Redacts the errors in responses, except those of the exposed subgraphs."""

    def __init__(self, inner: Transport, exposed: Collection[str]) -> None:
        self._inner = inner
        self._exposed = exposed

    async def fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
        """The response, with redacted errors unless its subgraph is exposed."""
        response = await self._inner.fetch(subgraph, body, context)
        if "errors" not in response or subgraph in self._exposed or isinstance(response, FetchFailure):
            return response
        return redact(subgraph, response)


class RedactedSource:
    """Redacts the errors in the events of streams."""

    def __init__(self, inner: StreamSource) -> None:
        self._inner = inner

    async def open(self, subgraph: str, body: bytes, context: RequestContext) -> RedactedStream:
        """Opens a stream with redacted errors."""
        return RedactedStream(subgraph, await self._inner.open(subgraph, body, context))


class RedactedStream:
    """A stream whose errors are redacted."""

    __slots__ = ("_inner", "_subgraph")

    def __init__(self, subgraph: str, inner: SubgraphStream) -> None:
        self._subgraph = subgraph
        self._inner = inner

    async def close(self) -> None:
        """Ends the subscription at the subgraph."""
        await self._inner.close()

    async def events(self) -> AsyncGenerator[dict[str, Any], None]:
        """The responses, with redacted errors."""
        async with aclosing(self._inner.events()) as events:
            async for event in events:
                yield redact(self._subgraph, event) if "errors" in event else event


def redact(subgraph: str, response: Mapping[str, Any]) -> dict[str, Any]:
    """The response with the message of each error replaced, and only its path and code kept."""
    errors = [_redact_error(subgraph, error) for error in response["errors"] or ()]
    return {**response, "errors": errors}


def _redact_error(subgraph: str, error: Mapping[str, Any]) -> dict[str, Any]:
    extensions = error.get("extensions")
    code = extensions.get("code") if isinstance(extensions, dict) else None
    if not (isinstance(code, str) and _CODE.fullmatch(code)):
        code = "DOWNSTREAM_SERVICE_ERROR"
    redacted: dict[str, Any] = {
        "message": f"The service {subgraph!r} reported an error.",
        "extensions": {"code": code, "serviceName": subgraph},
    }
    return {**redacted, "path": error["path"]} if "path" in error else redacted
