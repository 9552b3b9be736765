"""Fan-out: identical subscriptions share one stream from their subgraph.

Subscriptions are identical if they have the same subgraph, request and headers, including the token; only the
trace may differ. Clients cannot notice the sharing: a subscription after the first event, which may be a
snapshot, gets another stream, and a resumable stream is not shared. A client that reads too slowly is
dropped, so that it delays nobody and its queue is bounded.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from router.errors import TooSlowError
from router.json_text import decode, encode
from router.transport.base import RequestContext, StreamSource
from router.transport.reconnect import resume_events
from router.transport.request_body import without_operation_name
from router.transport.stream_request import StreamRequest

MAX_WAITING_EVENTS = 256
# In addition to one event, which may be larger.
MAX_WAITING_BYTES = 1_048_576

_StreamKey = tuple[str, bytes, RequestContext]


class _Subscriber:
    """The event queue of one client: lighter than `asyncio.Queue`, as there is one for each subscription.

    Its items are encoded events, and at the end an error or None.
    """

    __slots__ = ("_bytes", "_items", "_waiter")

    def __init__(self) -> None:
        self._items: list[bytes | Exception | None] = []
        self._bytes = 0
        self._waiter: asyncio.Future[None] | None = None

    def put(self, item: bytes | Exception | None) -> bool:
        """Queues an item; if the queue is full, returns false and ends it with an error."""
        size = len(item) if isinstance(item, bytes) else 0
        has_room = not self._items or (
            len(self._items) < MAX_WAITING_EVENTS and self._bytes + size <= MAX_WAITING_BYTES
        )
        if has_room:
            self._items.append(item)
            self._bytes += size
        else:
            reason = f"The client did not read {len(self._items)} events ({self._bytes} bytes) in time."
            self._items = [TooSlowError(reason)]
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        return has_room

    async def next(self) -> dict[str, Any] | None:
        """The next event, decoded for this client alone, or None at the end.

        Raises:
            Exception: what ended the stream.
        """
        while not self._items:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        item = self._items.pop(0)
        if isinstance(item, Exception):
            raise item
        if item is None:
            return None
        self._bytes -= len(item)
        # orjson's output takes at least four kibibytes, so it is not kept after it is decoded.
        event: dict[str, Any] = decode(item)
        return event


class SharedStreams:
    """The streams that further clients may join."""

    def __init__(self, sources: Mapping[str, StreamSource]) -> None:
        self._sources = sources
        self._joinable: dict[_StreamKey, _Broadcast] = {}

    def events(self, request: StreamRequest, context: RequestContext) -> AsyncGenerator[dict[str, Any], None]:
        """The events of a subscription; closing the iterator ends its stream if it has no other subscribers.

        Raises:
            SubgraphError: the stream cannot be opened, or failed.
            TooSlowError: the client reads too slowly.
        """
        if request.cursor is not None:
            return resume_events(self._sources[request.subgraph], request, context)
        return self._share(request, context)

    async def _share(
        self, request: StreamRequest, context: RequestContext
    ) -> AsyncGenerator[dict[str, Any], None]:
        subscriber = _Subscriber()
        broadcast = self._join(request, context, subscriber)
        try:
            while (event := await subscriber.next()) is not None:
                yield event
        finally:
            await broadcast.leave(subscriber)

    def _join(self, request: StreamRequest, context: RequestContext, subscriber: _Subscriber) -> _Broadcast:
        """Adds a subscriber to an identical stream that has no event yet, or to a new one."""
        key = (
            request.subgraph,
            without_operation_name(request.body()),
            replace(context, traceparent="", tracestate=""),
        )
        broadcast = self._joinable.get(key)
        if broadcast is None:

            def close() -> None:
                if self._joinable.get(key) is broadcast:
                    del self._joinable[key]

            broadcast = _Broadcast(resume_events(self._sources[request.subgraph], request, context), close)
            self._joinable[key] = broadcast
        broadcast.subscribers.append(subscriber)
        return broadcast


class _Broadcast:
    """A stream and its subscribers, which get all events from the first one on.

    `close` is called when nobody may join any more.
    """

    def __init__(self, stream: AsyncGenerator[dict[str, Any], None], close: Callable[[], None]) -> None:
        self.subscribers: list[_Subscriber] = []
        self._close = close
        self._task = asyncio.create_task(self._relay(stream))

    async def leave(self, subscriber: _Subscriber) -> None:
        """Removes a subscriber; the last one ends the stream."""
        if subscriber in self.subscribers:
            self.subscribers.remove(subscriber)
        if not self.subscribers:
            self._close()
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _relay(self, stream: AsyncGenerator[dict[str, Any], None]) -> None:
        end: Exception | None = None
        try:
            async with aclosing(stream) as events:
                async for event in events:
                    self._close()
                    self._publish(encode(event))
        except Exception as error:  # noqa: BLE001 - raised where the events are read
            end = error
        self._close()
        self._publish(end)

    def _publish(self, item: bytes | Exception | None) -> None:
        self.subscribers = [subscriber for subscriber in self.subscribers if subscriber.put(item)]
