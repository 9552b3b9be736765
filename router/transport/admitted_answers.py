"""Answers of some size are handed on one in each turn of the event loop, client by client.

To merge and project one takes up to some milliseconds. Those that come at one moment, as all answers of a
shared fetch do, would be handled in one turn, and everybody else would wait for all of them.
"""

from __future__ import annotations

from typing import Any

from router.admission import Admission
from router.transport.base import RequestContext, SizeableResponse, Transport


class AdmittedAnswers:
    """Lets operations continue with their answers by turns."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self._admission = Admission(max_per_iteration=1)

    async def fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
        """The answer: at once if it is small, else when it is the client's turn."""
        answer = await self._inner.fetch(subgraph, body, context)
        if isinstance(answer, SizeableResponse):
            await self._admission.enter(context.client)
        return answer
