"""Live events: numbered streams in Redis that a subscriber replays from its cursor and then follows."""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import uuid4

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from subgraphs.common.telemetry import logger

_KEPT_SECONDS = 7 * 24 * 3600
_IDLE_SECONDS = 5.0
_BLOCK_MILLISECONDS = 2000
_BATCH = 500


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """One event of a stream: numbered from 1 without repeats, with JSON data."""

    sequence: int
    kind: str
    at: datetime
    data: dict[str, Any]


History = Callable[[int], Awaitable[Sequence[LiveEvent]]]
"""Rebuilds the durable events after a sequence number from rows, oldest first."""


class StaleWriter(Exception):
    """The stream is already past this number: another writer has taken over."""


class LiveStreams:
    """The live streams of one process: writes go straight to Redis, followers share one blocking reader."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._followers: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._wake_key = f"live:wake:{uuid4().hex}"
        self._seen: dict[str, str] = {self._wake_key: "0-0"}
        self._reader: asyncio.Task[None] | None = None

    async def append(self, key: str, event: LiveEvent) -> None:
        """Add an event; StaleWriter when its number is not higher than the last.

        That is the fence between two writers of one stream.
        """
        fields: dict[Any, Any] = {"e": orjson.dumps([event.kind, event.at, event.data])}
        try:
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.xadd(_stream(key), fields, id=f"{event.sequence}-0")
                pipe.expire(_stream(key), _KEPT_SECONDS)
                await pipe.execute()
        except ResponseError as error:
            raise StaleWriter(f"{key} is already past event {event.sequence}") from error

    async def last_sequence(self, key: str) -> int:
        """The number of the stream's newest event; 0 when there is none."""
        newest = await self._redis.xrevrange(_stream(key), count=1)
        return _sequence(newest[0][0]) if newest else 0

    async def forget(self, key: str) -> None:
        """Delete a stream."""
        await self._redis.delete(_stream(key))

    async def follow(self, key: str, after: int, history: History) -> AsyncGenerator[LiveEvent]:
        """Yield every event after a number: first those already there, then each as it comes, without end.

        Where the stream does not reach back far enough, has a gap or is gone, the durable events come from
        `history`. It is asked again whenever the stream is silent, so that an event whose writer died before
        appending it arrives all the same.
        """
        cursor = after
        async with self._subscribe(key) as grown:
            # A stream that reaches the cursor holds what follows: rows may be ahead of it by an event or two,
            # and to begin with them would leave out what only the stream holds.
            silent = not 0 < cursor <= await self.last_sequence(key)
            while True:
                grown.clear()
                events = await self._read(key, cursor)
                if (silent and not events) or (events and events[-1].sequence - cursor > len(events)):
                    events = _fill(await history(cursor), events)
                for event in events:
                    yield event
                    cursor = event.sequence
                silent = not events and not await _wait_for_growth(grown)

    async def close(self) -> None:
        """Stop the reader."""
        if self._reader is not None:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader

    async def _read(self, key: str, cursor: int) -> list[LiveEvent]:
        entries = await self._redis.xrange(_stream(key), min=f"{cursor + 1}-0", count=_BATCH)
        return [_decode(entry_id, fields) for entry_id, fields in entries]

    @asynccontextmanager
    async def _subscribe(self, key: str) -> AsyncIterator[asyncio.Event]:
        """An asyncio event that is set whenever the stream grows."""
        grown = asyncio.Event()
        self._seen.setdefault(_stream(key), f"{await self.last_sequence(key)}-0")
        self._followers[key].add(grown)
        try:
            if self._reader is None or self._reader.done():
                self._reader = asyncio.create_task(self._watch())
            await self._wake_reader()
            yield grown
        finally:
            self._followers[key].discard(grown)
            if not self._followers[key]:
                del self._followers[key]
                self._seen.pop(_stream(key), None)

    async def _wake_reader(self) -> None:
        """End the reader's blocking call, so that it reads the streams that are followed now."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.xadd(self._wake_key, {"w": 1}, maxlen=1)
            pipe.expire(self._wake_key, 60)
            await pipe.execute()

    async def _watch(self) -> None:
        """Wait on all followed streams at once and wake the followers of those that have grown."""
        while self._followers:
            try:
                streams = await self._redis.xread(
                    cast("dict[Any, Any]", self._seen.copy()), count=_BATCH, block=_BLOCK_MILLISECONDS
                )
            except RedisError as error:
                logger().warning("Live streams cannot be read", error=error)
                await asyncio.sleep(1)
                continue
            for name, entries in streams:
                stream = name.decode()
                if stream in self._seen:
                    self._seen[stream] = entries[-1][0].decode()
                for grown in self._followers.get(stream.removeprefix("live:"), ()):
                    grown.set()


def _fill(history: Sequence[LiveEvent], stream: list[LiveEvent]) -> list[LiveEvent]:
    """Merge events from rows into those of the stream, up to the stream's last."""
    end = stream[-1].sequence if stream else math.inf
    known = {event.sequence: event for event in (*history, *stream) if event.sequence <= end}
    return [known[sequence] for sequence in sorted(known)]


async def _wait_for_growth(grown: asyncio.Event) -> bool:
    """Wait until the stream has grown; false when it stays silent for a while."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_IDLE_SECONDS):
            await grown.wait()
    return grown.is_set()


def _stream(key: str) -> str:
    return f"live:{key}"


def _sequence(entry_id: bytes) -> int:
    return int(entry_id.split(b"-")[0])


def _decode(entry_id: bytes, fields: dict[bytes, bytes]) -> LiveEvent:
    kind, at, data = orjson.loads(fields[b"e"])
    return LiveEvent(_sequence(entry_id), kind, datetime.fromisoformat(at), data)
