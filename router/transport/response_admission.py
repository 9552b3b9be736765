"""Admission of responses: a bounded number continue per iteration of the event loop, clients taking turns.

Processing a response takes up to some milliseconds. Responses that arrive at once, as all those of a shared
fetch do, would otherwise be merged and projected in one iteration, and everything else would wait for them.
"""

from __future__ import annotations

from typing import Any

from router.admission import Admission
from router.transport.base import RequestContext, Transport


class ResponseAdmission:
    """Admits responses of subgraphs like new requests."""

    def __init__(self, inner: Transport, admission: Admission) -> None:
        self._inner = inner
        self._admission = admission

    async def fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
        """The response, once it is admitted."""
        response = await self._inner.fetch(subgraph, body, context)
        await self._admission.enter(context.client)
        return response
