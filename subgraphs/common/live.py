"""Live events: numbered streams in Redis that a subscriber replays from a cursor and then follows."""

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

from subgraphs.common.telemetry import get_logger

_EXPIRY_SECONDS = 7 * 24 * 3600
_IDLE_SECONDS = 5.0
_BLOCK_MILLISECONDS = 2000
_BATCH = 500


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """An event of a stream; `sequence` counts from 1 and only rises, `data` is JSON."""

    sequence: int
    kind: str
    at: datetime
    data: dict[str, Any]


History = Callable[[int], Awaitable[Sequence[LiveEvent]]]
"""A function that reads the durable events after a sequence number from rows, oldest first."""


class StaleWriter(Exception):
    """The stream already has an event with this number or a higher one: there is another writer."""


class LiveStreams:
    """The live streams of a process; all followers share one blocking reader."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._followers: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._wake_key = f"live:wake:{uuid4().hex}"
        self._seen: dict[str, str] = {self._wake_key: "0-0"}
        self._reader: asyncio.Task[None] | None = None

    async def append(self, key: str, event: LiveEvent) -> None:
        """Append an event; StaleWriter when its number is not higher than the last.

        This fences off an earlier writer of the same stream.
        """
        fields: dict[Any, Any] = {"e": orjson.dumps([event.kind, event.at, event.data])}
        try:
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.xadd(_build_stream_name(key), fields, id=f"{event.sequence}-0")
                pipe.expire(_build_stream_name(key), _EXPIRY_SECONDS)
                await pipe.execute()
        except ResponseError as error:
            raise StaleWriter(f"{key} is already past event {event.sequence}") from error

    async def read_last_sequence(self, key: str) -> int:
        """Read the number of a stream's newest event; 0 when there is none."""
        newest = await self._redis.xrevrange(_build_stream_name(key), count=1)
        return _parse_sequence(newest[0][0]) if newest else 0

    async def delete(self, key: str) -> None:
        """Delete a stream."""
        await self._redis.delete(_build_stream_name(key))

    async def follow(self, key: str, after: int, history: History) -> AsyncGenerator[LiveEvent]:
        """Yield every event after a number, without end: first the past ones, then each as it is appended.

        If the stream does not reach back far enough, has a gap or has expired, the durable events come from
        `history`. It is called again whenever no event has come for a while, so that an event whose writer
        died before appending it arrives too.
        """
        cursor = after
        async with self._subscribe(key) as grown:
            # If the stream reaches the cursor, it has the events that follow. Rows may be ahead of it, and
            # starting with them would skip events that only the stream has.
            silent = not 0 < cursor <= await self.read_last_sequence(key)
            while True:
                grown.clear()
                events = await self._read(key, cursor)
                if (silent and not events) or (events and events[-1].sequence - cursor > len(events)):
                    events = _merge(await history(cursor), events)
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
        entries = await self._redis.xrange(_build_stream_name(key), min=f"{cursor + 1}-0", count=_BATCH)
        return [_decode(entry_id, fields) for entry_id, fields in entries]

    @asynccontextmanager
    async def _subscribe(self, key: str) -> AsyncIterator[asyncio.Event]:
        """Provide an asyncio event that is set whenever the stream grows."""
        grown = asyncio.Event()
        self._seen.setdefault(_build_stream_name(key), f"{await self.read_last_sequence(key)}-0")
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
                self._seen.pop(_build_stream_name(key), None)

    async def _wake_reader(self) -> None:
        """End the reader's blocking call, so that the next one covers all streams that are followed now."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.xadd(self._wake_key, {"w": 1}, maxlen=1)
            pipe.expire(self._wake_key, 60)
            await pipe.execute()

    async def _watch(self) -> None:
        """Read all followed streams at once and wake the followers of those that have grown."""
        while self._followers:
            try:
                streams = await self._redis.xread(
                    cast("dict[Any, Any]", self._seen.copy()), count=_BATCH, block=_BLOCK_MILLISECONDS
                )
            except RedisError as error:
                get_logger().warning("Live streams cannot be read", error=error)
                await asyncio.sleep(1)
                continue
            for name, entries in streams:
                stream = name.decode()
                if stream in self._seen:
                    self._seen[stream] = entries[-1][0].decode()
                for grown in self._followers.get(stream.removeprefix("live:"), ()):
                    grown.set()


def _merge(history: Sequence[LiveEvent], stream: list[LiveEvent]) -> list[LiveEvent]:
    """Merge events from rows and from the stream, up to the last one of the stream."""
    end = stream[-1].sequence if stream else math.inf
    known = {event.sequence: event for event in (*history, *stream) if event.sequence <= end}
    return [known[sequence] for sequence in sorted(known)]


async def _wait_for_growth(grown: asyncio.Event) -> bool:
    """Wait until the stream has grown; false when it has not for a while."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_IDLE_SECONDS):
            await grown.wait()
    return grown.is_set()


def _build_stream_name(key: str) -> str:
    return f"live:{key}"


def _parse_sequence(entry_id: bytes) -> int:
    return int(entry_id.split(b"-")[0])


def _decode(entry_id: bytes, fields: dict[bytes, bytes]) -> LiveEvent:
    kind, at, data = orjson.loads(fields[b"e"])
    return LiveEvent(_parse_sequence(entry_id), kind, datetime.fromisoformat(at), data)
