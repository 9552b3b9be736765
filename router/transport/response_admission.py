"""Admission of responses: of those of some size, one continues per iteration of the event loop.

Merging and projecting a response takes up to some milliseconds. Responses that arrive at once, as all those
of a shared fetch do, would otherwise be processed in one iteration, and everything else would wait for them.
"""

from __future__ import annotations

from typing import Any

from router.admission import Admission
from router.transport.base import RequestContext, SizeableResponse, Transport


class ResponseAdmission:
    """Admits responses of subgraphs, clients taking turns."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self._admission = Admission(max_per_iteration=1)

    async def fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
        """The response: at once if it is small, else once it is admitted."""
        response = await self._inner.fetch(subgraph, body, context)
        if isinstance(response, SizeableResponse):
            await self._admission.enter(context.client)
        return response
