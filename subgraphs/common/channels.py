"""Redis channels: one connection receives the messages of all channels that this process listens to.

It costs nothing while nothing is published. When it breaks it is opened again, with growing pauses; the
listeners are then notified, because messages may have been missed.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from contextvars import Context
from typing import Any, Final, Protocol

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import ConnectionError as RedisConnectionError

from subgraphs.common.telemetry import get_logger

_IDLE_SECONDS: Final = 15.0
"""After so long without a message the connection is tested; after another such time it counts as broken."""
_FIRST_PAUSE_SECONDS: Final = 0.1
_MAX_PAUSE_SECONDS: Final = 2.0


class Listener(Protocol):
    """The receiver of a channel's messages."""

    def on_open(self) -> None:
        """Messages are received from now on; some may have been missed before."""

    def on_message(self, message: bytes) -> None:
        """A message was published."""


class Channels:
    """The channels that this process listens to; each has one listener."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._listeners: dict[str, Listener] = {}
        self._open: set[str] = set()
        self._changes: set[str] = set()
        self._changed = asyncio.Event()
        self._connection: asyncio.Task[None] | None = None

    def listen(self, channel: str, listener: Listener) -> None:
        """Listen to a channel, until it is left."""
        self._listeners[channel] = listener
        self._change(channel)
        if channel in self._open:
            listener.on_open()
        if self._connection is None or self._connection.done():
            # It belongs to no request, so neither do its logs and spans.
            self._connection = asyncio.create_task(self._stay_connected(), context=Context())

    def leave(self, channel: str) -> None:
        """Stop listening to a channel."""
        del self._listeners[channel]
        self._change(channel)

    def is_open(self, channel: str) -> bool:
        """Whether the messages of a channel are being received."""
        return channel in self._open

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.cancel()
            with suppress(asyncio.CancelledError):
                await self._connection

    def _change(self, channel: str) -> None:
        self._changes.add(channel)
        self._changed.set()

    async def _stay_connected(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                async with self._redis.pubsub() as connection:
                    await connection.connect()
                    pause = _FIRST_PAUSE_SECONDS
                    # A task in which a TaskGroup has failed counts as cancelled, and before Python 3.11.3 no
                    # timeout works in such a task. So each connection has a task of its own.
                    await asyncio.create_task(self._use(connection))
            except* Exception as errors:  # noqa: BLE001 - redis-py raises others too if both tasks find it broken
                get_logger().warning(
                    "The connection to the channels of Redis has broken", error=errors.exceptions[0]
                )
            self._open.clear()
            await asyncio.sleep(pause)
            pause = min(2 * pause, _MAX_PAUSE_SECONDS)

    async def _use(self, connection: PubSub) -> None:
        self._changes.update(self._listeners)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._subscribe(connection))
            tasks.create_task(self._receive(connection))

    async def _subscribe(self, connection: PubSub) -> None:
        """Subscribe to what is listened to, and unsubscribe from what was left, whenever that changes."""
        subscribed: set[str] = set()
        while True:
            self._changed.clear()
            changes, self._changes = self._changes, set()
            wanted = {channel for channel in changes if channel in self._listeners}
            if new := wanted - subscribed:
                await connection.subscribe(*new)
            if left := (changes - wanted) & subscribed:
                self._open -= left
                await connection.unsubscribe(*left)
            subscribed = (subscribed | new) - left
            await self._changed.wait()

    async def _receive(self, connection: PubSub) -> None:
        is_tested = False
        while True:
            message = await connection.get_message(timeout=_IDLE_SECONDS)
            if message is not None:
                is_tested = False
                self._dispatch(message)
            elif is_tested:
                raise RedisConnectionError("Redis does not answer.")
            else:
                is_tested = True
                await connection.ping()

    def _dispatch(self, message: dict[str, Any]) -> None:
        channel = (message["channel"] or b"").decode()
        listener = self._listeners.get(channel)
        if listener is None:
            return
        if message["type"] == "subscribe":
            self._open.add(channel)
            listener.on_open()
        elif message["type"] == "message":
            listener.on_message(message["data"])
