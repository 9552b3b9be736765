"""Identical subscriptions share one stream from their subgraph.

Two are identical if all that leaves the router for them is the same, but for the trace: the subgraph, the
request and every header, the caller's token among them. Sharing changes nothing of what a client sees:
one who comes after the first event, which may tell where things stand, gets another stream, and one who goes
on after a number has a stream of its own. A client that reads too slowly is let go, so that it holds up
nobody and what waits for it is bounded.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import orjson

from router.errors import TooSlowError
from router.executor.cursor import StreamRequest
from router.executor.reopening import unbroken
from router.executor.subscriptions import EventSource
from router.executor.transport import RequestContext

MAX_WAITING_EVENTS = 256

_Identity = tuple[str, bytes, RequestContext]
_Waiting = asyncio.Queue[bytes | Exception | None]


class SharedStreams:
    """The streams that clients may still join."""

    def __init__(self, source: EventSource) -> None:
        self._source = source
        self._joinable: dict[_Identity, _Broadcast] = {}

    async def events(
        self, request: StreamRequest, context: RequestContext
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The events of a subscription; closing the iterator ends its stream if nobody else listens.

        Raises:
            SubgraphError: the stream cannot be had.
            TooSlowError: the client has not read for too many events.
        """
        if request.cursor is not None:
            async with aclosing(unbroken(self._source, request, context)) as events:
                async for event in events:
                    yield event
            return
        waiting: _Waiting = asyncio.Queue(MAX_WAITING_EVENTS)
        broadcast = self._joined(request, context, waiting)
        try:
            while (told := await waiting.get()) is not None:
                if isinstance(told, Exception):
                    raise told
                yield orjson.loads(told)
        finally:
            await broadcast.leave(waiting)

    def _joined(self, request: StreamRequest, context: RequestContext, waiting: _Waiting) -> _Broadcast:
        identity = (request.subgraph, request.body(), replace(context, traceparent=""))
        broadcast = self._joinable.get(identity)
        if broadcast is None:

            def close() -> None:
                if self._joinable.get(identity) is broadcast:
                    del self._joinable[identity]

            broadcast = _Broadcast(unbroken(self._source, request, context), close)
            self._joinable[identity] = broadcast
        broadcast.listeners.add(waiting)
        return broadcast


class _Broadcast:
    """One stream and those who listen to it, who are told of every event from the first one on."""

    def __init__(
        self, stream: AsyncGenerator[dict[str, Any], None], no_longer_joinable: Callable[[], None]
    ) -> None:
        self.listeners: set[_Waiting] = set()
        self._no_longer_joinable = no_longer_joinable
        self._task = asyncio.create_task(self._relay(stream))

    async def leave(self, waiting: _Waiting) -> None:
        """Ends the stream with its last listener."""
        self.listeners.discard(waiting)
        if not self.listeners:
            self._no_longer_joinable()
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _relay(self, stream: AsyncGenerator[dict[str, Any], None]) -> None:
        end: Exception | None = None
        try:
            async with aclosing(stream) as events:
                async for event in events:
                    self._no_longer_joinable()
                    self._tell(orjson.dumps(event))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised where the events are read
            end = error
        self._no_longer_joinable()
        self._tell(end)

    def _tell(self, event: bytes | Exception | None) -> None:
        for waiting in list(self.listeners):
            try:
                waiting.put_nowait(event)
            except asyncio.QueueFull:
                self.listeners.discard(waiting)
                _let_go(waiting)


def _let_go(waiting: _Waiting) -> None:
    while not waiting.empty():
        waiting.get_nowait()
    waiting.put_nowait(TooSlowError(f"{MAX_WAITING_EVENTS} events waited to be read."))
