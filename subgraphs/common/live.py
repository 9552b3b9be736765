"""Live events: numbered streams in Redis that a subscriber replays from a cursor and then follows.

An appended event is published too. Each process receives it once and hands it to all followers of the stream,
so that a follower reads only what it has missed, and costs nothing while the stream is idle.
"""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import Context
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

import orjson
from redis.asyncio import Redis
from redis.exceptions import ResponseError
from sqlalchemy.exc import SQLAlchemyError

from subgraphs.common.channels import Channels
from subgraphs.common.telemetry import get_logger

_CHECK_SECONDS = 5.0
"""How often rows are checked for events that were never appended."""
_BATCH = 500
_MAX_WAITING = 500
"""Events that wait for a follower whose client is slow; it reads any others again."""
_CONCURRENT_READS: Final = 4

_APPEND: Final = """
redis.call('XADD', KEYS[1], ARGV[1] .. '-0', 'e', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('PUBLISH', KEYS[1], ARGV[1] .. ' ' .. ARGV[2])
"""
"""A script, so that an event that the stream refuses is not published."""


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """An event of a stream; `sequence` counts from 1 and only increases, `data` is JSON."""

    sequence: int
    kind: str
    at: datetime
    data: dict[str, Any]


class History(Protocol):
    """The durable events of streams, which are rows; equal objects read the same rows."""

    def __hash__(self) -> int:
        """Hash it, as followers of one process are grouped by it."""

    async def list_events(self, key: str, after: int) -> Sequence[LiveEvent]:
        """List the events of a stream after a number, oldest first."""

    async def find_newest(self, keys: Sequence[str]) -> Mapping[str, int]:
        """Find the number of the newest event of each stream."""


class StaleWriter(Exception):
    """The stream already has an event with this number or a higher one: there is another writer."""


class LiveStreams:
    """The live streams of a process; each expires when nothing has been appended for as long as `retention`.

    `admission` lets a few followers read at a time. When many come at once, they wait for it instead of for
    connections, which they would not get in time.
    """

    def __init__(self, redis: Redis, retention: timedelta) -> None:
        self._redis = redis
        self._expiry_seconds = int(retention.total_seconds())
        self._append = redis.register_script(_APPEND)
        self._channels = Channels(redis)
        self._followed: dict[str, _FollowedStream] = {}
        self.admission = asyncio.Semaphore(_CONCURRENT_READS)
        self._check: asyncio.Task[None] | None = None

    async def append(self, key: str, event: LiveEvent) -> None:
        """Append an event; StaleWriter when its number is not higher than the last.

        This fences off an earlier writer of the same stream.
        """
        text = orjson.dumps([event.kind, event.at, event.data])
        try:
            await self._append(
                keys=[_build_stream_name(key)], args=[event.sequence, text, self._expiry_seconds]
            )
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
        `history`. So does an event whose writer died before appending it, after a while. It waits
        while Redis is unavailable.
        """
        with self._join(key, after, history) as follower:
            while True:
                for event in follower.take():
                    yield event
                if follower.is_behind:
                    is_row_missing = follower.begin_reading()
                    async with self.admission:
                        events = await self._read(key, follower.cursor, history, from_rows=is_row_missing)
                    follower.add_read(events)
                else:
                    await follower.wait()

    async def close(self) -> None:
        """Stop listening."""
        await self._channels.close()
        if self._check is not None:
            self._check.cancel()
            with suppress(asyncio.CancelledError):
                await self._check

    @contextmanager
    def _join(self, key: str, after: int, history: History) -> Iterator[_Follower]:
        """Add a follower to a stream; it reads once the stream's channel is open, and so misses nothing."""
        channel, follower = _build_stream_name(key), _Follower(after)
        followed = self._followed.setdefault(key, _FollowedStream(history))
        followed.followers.add(follower)
        if len(followed.followers) == 1:
            self._channels.listen(channel, followed)
        elif self._channels.is_open(channel):
            follower.fall_behind()
        if self._check is None or self._check.done():
            self._check = asyncio.create_task(self._check_rows(), context=Context())
        try:
            yield follower
        finally:
            followed.followers.discard(follower)
            if not followed.followers:
                del self._followed[key]
                self._channels.leave(channel)

    async def _read(self, key: str, cursor: int, history: History, *, from_rows: bool) -> list[LiveEvent]:
        """Read the events after a cursor from the stream, and from rows if they have what it lacks."""
        events, is_reached = await self._read_stream(key, cursor)
        is_lost = not events and not is_reached
        has_gap = bool(events) and events[-1].sequence - cursor > len(events)
        if not (from_rows or is_lost or has_gap):
            return events
        rows = await history.list_events(key, cursor)
        # The stream is read again, because an event that is not a row may have come before the last row.
        return _merge(rows, (await self._read_stream(key, cursor))[0])

    async def _read_stream(self, key: str, cursor: int) -> tuple[list[LiveEvent], bool]:
        """Read the events of a stream after a cursor, and whether the stream reaches back to the cursor."""
        entries = await self._redis.xrange(_build_stream_name(key), min=f"{cursor}-0", count=_BATCH + 1)
        events = [_decode(_parse_sequence(entry_id), fields[b"e"]) for entry_id, fields in entries]
        is_reached = bool(events) and events[0].sequence == cursor
        return events[is_reached : _BATCH + is_reached], is_reached

    async def _check_rows(self) -> None:
        """Periodically notify followers of rows whose events were not published: their writer has died.

        It takes one statement for all streams that are followed.
        """
        while True:
            await asyncio.sleep(_CHECK_SECONDS)
            keys: defaultdict[History, list[str]] = defaultdict(list)
            for key, followed in self._followed.items():
                keys[followed.history].append(key)
            for history, group in keys.items():
                try:
                    newest = await history.find_newest(group)
                except (OSError, SQLAlchemyError) as error:
                    get_logger().warning("Live events were not compared with their rows", error=error)
                    continue
                for key in newest.keys() & self._followed.keys():
                    self._followed[key].on_row(newest[key])


@dataclass(eq=False, slots=True)
class _FollowedStream:
    """A stream that is followed in this process."""

    history: History
    followers: set[_Follower] = field(default_factory=set)

    def on_open(self) -> None:
        """Events are received from now on; some may have been missed."""
        self._notify(_Follower.fall_behind)

    def on_message(self, message: bytes) -> None:
        """An event was appended."""
        sequence, _, text = message.partition(b" ")
        event = _decode(int(sequence), text)
        self._notify(lambda follower: follower.add_published(event))

    def on_row(self, sequence: int) -> None:
        """A row has an event with this number."""
        self._notify(lambda follower: follower.compare_with_row(sequence))

    def _notify(self, notify: Callable[[_Follower], None]) -> None:
        for follower in self.followers:
            notify(follower)


class _Follower:
    """A follower of a stream: the events that wait for it, and its cursor, the last number it has reached.

    It is behind when there may be events that it has not received. Those are read, after the waiting ones.
    """

    def __init__(self, after: int) -> None:
        self.cursor = after
        self.is_behind = False
        self._is_row_missing = False
        self._waiting: list[LiveEvent] = []
        self._changed = asyncio.Event()

    def add_published(self, event: LiveEvent) -> None:
        """Add an event that was published, if it is the next one."""
        if event.sequence <= self.cursor:
            return
        if self.is_behind or event.sequence > self.cursor + 1 or len(self._waiting) >= _MAX_WAITING:
            self.fall_behind()
        else:
            self._add(event)

    def add_read(self, events: Sequence[LiveEvent]) -> None:
        """Add events that were read; after a full batch there may be more."""
        for event in events:
            if event.sequence > self.cursor:
                self._add(event)
        if len(events) >= _BATCH:
            self.fall_behind()

    def compare_with_row(self, sequence: int) -> None:
        """Fall behind if the newest row has a number after the cursor."""
        if sequence > self.cursor:
            self._is_row_missing = True
            self.fall_behind()

    def fall_behind(self) -> None:
        """There may be events that were not received."""
        self.is_behind = True
        self._changed.set()

    def begin_reading(self) -> bool:
        """Catch up, unless something happens while it reads; return whether a row is missing."""
        is_row_missing, self._is_row_missing = self._is_row_missing, False
        self.is_behind = False
        return is_row_missing

    def take(self) -> list[LiveEvent]:
        """Take the waiting events."""
        self._changed.clear()
        waiting, self._waiting = self._waiting, []
        return waiting

    async def wait(self) -> None:
        """Wait until there is an event, or until it is behind."""
        await self._changed.wait()

    def _add(self, event: LiveEvent) -> None:
        self._waiting.append(event)
        self.cursor = event.sequence
        self._changed.set()


def _merge(rows: Sequence[LiveEvent], stream: list[LiveEvent]) -> list[LiveEvent]:
    """Merge events from rows and from the stream, up to the last one of the stream."""
    end = stream[-1].sequence if stream else math.inf
    known = {event.sequence: event for event in (*rows, *stream) if event.sequence <= end}
    return [known[sequence] for sequence in sorted(known)]


def _build_stream_name(key: str) -> str:
    return f"live:{key}"


def _parse_sequence(entry_id: bytes) -> int:
    return int(entry_id.split(b"-")[0])


def _decode(sequence: int, text: bytes) -> LiveEvent:
    kind, at, data = orjson.loads(text)
    return LiveEvent(sequence, kind, datetime.fromisoformat(at), data)
