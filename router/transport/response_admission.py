"""Admission of responses: a few milliseconds of each iteration of the event loop are for processing them.

Merging and projecting a response takes up to some milliseconds, and how long shows only afterwards. Responses
that arrive at once, as all those of a shared fetch do, would be processed in one iteration, and everything
else would wait for them. Three responses of 2 ms each, of which an iteration has time for two:

    iteration 1   responses 1 and 2 are processed; 3 ms are over, response 3 waits
    iteration 2   response 3 is processed, and a fourth that has arrived waits

While responses wait, one continues in each iteration, and clients take turns.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from typing import Any

from router.round_robin import RoundRobin
from router.transport.base import RequestContext, Transport

SECONDS_PER_ITERATION = 0.003


class ResponseAdmission:
    """Admits responses by the time that those before them have taken."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._end: float | None = None
        self._waiting = RoundRobin[None](sys.maxsize, lambda _: None)

    async def enter(self, client: str) -> None:
        """Returns at once if this iteration has time for a response, else once one is admitted."""
        if not self._has_time():
            await self._waiting.wait(client)

    def _has_time(self) -> bool:
        now = self._clock()
        if self._end is None:
            self._begin(now)
            return True
        return now < self._end and not self._waiting

    def _begin(self, now: float) -> None:
        self._end = now + SECONDS_PER_ITERATION
        asyncio.get_running_loop().call_soon(self._start_iteration)

    def _start_iteration(self) -> None:
        self._end = None
        if self._waiting.grant(None):
            self._begin(self._clock())


class AdmittedResponses:
    """A transport whose responses are admitted before they are processed."""

    def __init__(self, inner: Transport, admission: ResponseAdmission) -> None:
        self._inner = inner
        self._admission = admission

    async def fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
        """The response, once it is admitted."""
        response = await self._inner.fetch(subgraph, body, context)
        await self._admission.enter(context.client)
        return response
