"""What clients read of the errors of subgraphs that are not listed: that there is one, where, and its code.

A message may quote what nobody outside should read. A code is an identifier that clients branch on.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import aclosing
from typing import Any

from router.transport.base import Failure, RequestContext, StreamSource, Transport, Upstream

ALL = "*"
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


class Redaction:
    """Redacts the errors in answers."""

    def __init__(self, inner: Transport, shown: Collection[str]) -> None:
        self._inner = inner
        self._shown = shown

    async def fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
        """The answer, with redacted errors where its subgraph is not listed."""
        answer = await self._inner.fetch(subgraph, body, context)
        if "errors" not in answer or subgraph in self._shown or isinstance(answer, Failure):
            return answer
        return redacted(subgraph, answer)


class RedactedSource:
    """Redacts the errors in the events of streams."""

    def __init__(self, inner: StreamSource) -> None:
        self._inner = inner

    async def open(self, subgraph: str, body: bytes, context: RequestContext) -> RedactedStream:
        """The open stream."""
        return RedactedStream(subgraph, await self._inner.open(subgraph, body, context))


class RedactedStream:
    """One such stream."""

    __slots__ = ("_inner", "_subgraph")

    def __init__(self, subgraph: str, inner: Upstream) -> None:
        self._subgraph = subgraph
        self._inner = inner

    async def close(self) -> None:
        """Ends the subscription at the subgraph."""
        await self._inner.close()

    async def events(self) -> AsyncGenerator[dict[str, Any], None]:
        """The responses, with redacted errors."""
        async with aclosing(self._inner.events()) as events:
            async for event in events:
                yield redacted(self._subgraph, event) if "errors" in event else event


def redacted(subgraph: str, response: Mapping[str, Any]) -> dict[str, Any]:
    """A response whose errors tell no more than that they are there, where, and their code."""
    errors = [_redacted(subgraph, error) for error in response["errors"] or ()]
    return {**response, "errors": errors}


def _redacted(subgraph: str, error: Mapping[str, Any]) -> dict[str, Any]:
    extensions = error.get("extensions")
    code = extensions.get("code") if isinstance(extensions, dict) else None
    if not (isinstance(code, str) and _CODE.fullmatch(code)):
        code = "DOWNSTREAM_SERVICE_ERROR"
    shown: dict[str, Any] = {
        "message": f"The service {subgraph!r} reported an error.",
        "extensions": {"code": code, "serviceName": subgraph},
    }
    return {**shown, "path": error["path"]} if "path" in error else shown
