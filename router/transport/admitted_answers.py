"""Answers of subgraphs are handed on a few in each turn of the event loop, client by client.

What is made of an answer takes up to some milliseconds. Those that come at one moment, as all answers of a
shared fetch do, would be merged and projected in one turn, and everybody else would wait for all of them.
"""

from __future__ import annotations

from typing import Any

from router.admission import Admission
from router.transport.base import RequestContext, Transport


class AdmittedAnswers:
    """Lets operations continue with their answers as it lets requests begin."""

    def __init__(self, inner: Transport, admission: Admission) -> None:
        self._inner = inner
        self._admission = admission

    async def fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
        """The answer, once it is the client's turn."""
        answer = await self._inner.fetch(subgraph, body, context)
        await self._admission.enter(context.client)
        return answer
