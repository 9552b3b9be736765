"""Identical subscriptions share one stream from their subgraph.

Two are identical if all that leaves the router for them is the same, but for the trace: the subgraph, the
request and every header, the caller's token among them. Sharing changes nothing of what a client sees:
one who comes after the first event, which may tell where things stand, gets another stream, and one who goes
on after a number has a stream of its own. A client that reads too slowly is let go, so that it holds up
nobody and what waits for it is bounded.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from router.errors import TooSlowError
from router.json_text import decode, encode
from router.transport.base import RequestContext, StreamSource, sized
from router.transport.reconnect import unbroken
from router.transport.request_body import unnamed
from router.transport.stream_request import StreamRequest

MAX_WAITING_EVENTS = 256
# Beside one event, which may be larger.
MAX_WAITING_BYTES = 1_048_576

_Identity = tuple[str, bytes, RequestContext]


class _Listener:
    """What waits for one client: lighter than a queue of asyncio, as there is one for each subscription."""

    __slots__ = ("_bytes", "_told", "_waiter")

    def __init__(self) -> None:
        self._told: list[bytes | Exception | None] = []
        self._bytes = 0
        self._waiter: asyncio.Future[None] | None = None

    def tell(self, told: bytes | Exception | None) -> bool:
        """Takes an event or the end; false if too many wait already, which then is the end."""
        size = len(told) if isinstance(told, bytes) else 0
        in_time = not self._told or (
            len(self._told) < MAX_WAITING_EVENTS and self._bytes + size <= MAX_WAITING_BYTES
        )
        if in_time:
            self._told.append(told)
            self._bytes += size
        else:
            reason = f"{len(self._told)} events of {self._bytes} bytes waited to be read."
            self._told = [TooSlowError(reason)]
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        return in_time

    async def next(self) -> dict[str, Any] | None:
        """The event that came first, in a copy of its own, or None at the end.

        Raises:
            Exception: what ended the stream.
        """
        while not self._told:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        told = self._told.pop(0)
        if isinstance(told, Exception):
            raise told
        if told is None:
            return None
        self._bytes -= len(told)
        # What orjson writes keeps four kibibytes, however short it is: nothing here outlives its reading.
        return sized(decode(told), len(told))


class SharedStreams:
    """The streams that clients may still join."""

    def __init__(self, sources: Mapping[str, StreamSource]) -> None:
        self._sources = sources
        self._joinable: dict[_Identity, _Broadcast] = {}

    def events(self, request: StreamRequest, context: RequestContext) -> AsyncGenerator[dict[str, Any], None]:
        """The events of a subscription; closing the iterator ends its stream if nobody else listens.

        Raises:
            SubgraphError: the stream cannot be had.
            TooSlowError: the client has not read for too many events.
        """
        if request.cursor is not None:
            return unbroken(self._sources[request.subgraph], request, context)
        return self._shared(request, context)

    async def _shared(
        self, request: StreamRequest, context: RequestContext
    ) -> AsyncGenerator[dict[str, Any], None]:
        listener = _Listener()
        broadcast = self._joined(request, context, listener)
        try:
            while (event := await listener.next()) is not None:
                yield event
        finally:
            await broadcast.leave(listener)

    def _joined(self, request: StreamRequest, context: RequestContext, listener: _Listener) -> _Broadcast:
        identity = (
            request.subgraph,
            unnamed(request.body()),
            replace(context, traceparent="", tracestate=""),
        )
        broadcast = self._joinable.get(identity)
        if broadcast is None:

            def close() -> None:
                if self._joinable.get(identity) is broadcast:
                    del self._joinable[identity]

            broadcast = _Broadcast(unbroken(self._sources[request.subgraph], request, context), close)
            self._joinable[identity] = broadcast
        broadcast.listeners.append(listener)
        return broadcast


class _Broadcast:
    """One stream and those who listen to it, who are told of every event from the first one on."""

    def __init__(
        self, stream: AsyncGenerator[dict[str, Any], None], no_longer_joinable: Callable[[], None]
    ) -> None:
        self.listeners: list[_Listener] = []
        self._no_longer_joinable = no_longer_joinable
        self._task = asyncio.create_task(self._relay(stream))

    async def leave(self, listener: _Listener) -> None:
        """Ends the stream with its last listener."""
        if listener in self.listeners:
            self.listeners.remove(listener)
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
                    self._tell(encode(event))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised where the events are read
            end = error
        self._no_longer_joinable()
        self._tell(end)

    def _tell(self, told: bytes | Exception | None) -> None:
        self.listeners = [listener for listener in self.listeners if listener.tell(told)]
