"""Live streams: a follower misses no event, even if the stream or its entries are lost."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis

from subgraphs.common import live
from subgraphs.common.ids import new_id
from subgraphs.common.live import LiveEvent, LiveStreams, StaleWriter
from tests.support.subgraph import build_settings

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
async def redis(servers: Mapping[str, str]) -> AsyncIterator[Redis]:
    client = Redis.from_url(build_settings("auth", servers).redis_url)
    yield client
    await client.aclose()


@pytest.fixture
async def streams(redis: Redis) -> AsyncIterator[LiveStreams]:
    live_streams = LiveStreams(redis)
    yield live_streams
    await live_streams.close()


@pytest.fixture
def key() -> str:
    return new_id("gen")


def build_event(sequence: int, kind: str = "step") -> LiveEvent:
    return LiveEvent(sequence, kind, NOW, {"number": sequence})


class Rows:
    """The events that are stored as rows."""

    def __init__(self, *sequences: int) -> None:
        self.sequences = list(sequences)

    async def __call__(self, after: int) -> Sequence[LiveEvent]:
        return [build_event(sequence, "row") for sequence in self.sequences if sequence > after]


async def read_numbers(
    streams: LiveStreams, key: str, count: int, after: int = 0, rows: Rows | None = None
) -> list[int]:
    """Read the sequence numbers of the first events that a new follower gets."""
    numbers: list[int] = []
    async with asyncio.timeout(30):
        async with aclosing(streams.follow(key, after, rows or Rows())) as events:
            async for item in events:
                numbers.append(item.sequence)
                if len(numbers) == count:
                    break
    return numbers


async def append(streams: LiveStreams, key: str, *sequences: int) -> None:
    for sequence in sequences:
        await streams.append(key, build_event(sequence))


async def test_an_event_is_read_as_it_was_written(streams: LiveStreams, key: str) -> None:
    await streams.append(key, build_event(1))
    async with aclosing(streams.follow(key, 0, Rows())) as events:
        assert await anext(aiter(events)) == build_event(1)
    assert await streams.read_last_sequence(key) == 1


async def test_a_follower_gets_the_existing_events_and_then_new_ones(streams: LiveStreams, key: str) -> None:
    await append(streams, key, 1, 2)
    following = asyncio.create_task(read_numbers(streams, key, 5))
    await append(streams, key, 3, 4, 5)
    assert await following == [1, 2, 3, 4, 5]


async def test_a_returning_follower_gets_the_events_after_its_cursor(streams: LiveStreams, key: str) -> None:
    await append(streams, key, 1, 2, 3, 4)
    assert await read_numbers(streams, key, 2, after=2) == [3, 4]


async def test_a_long_stream_is_replayed_completely(
    streams: LiveStreams, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_BATCH", 3)
    await append(streams, key, *range(1, 11))
    assert await read_numbers(streams, key, 10) == list(range(1, 11))


async def test_many_followers_share_one_reader(streams: LiveStreams, redis: Redis, key: str) -> None:
    others = [new_id("gen") for _ in range(5)]
    following = [
        asyncio.create_task(read_numbers(streams, name, 3)) for name in [key, *others] for _ in range(4)
    ]
    for sequence in (1, 2, 3):
        for name in [key, *others]:
            await append(streams, name, sequence)
    assert await asyncio.gather(*following) == [[1, 2, 3]] * 24


async def test_an_overtaken_writer_is_refused(streams: LiveStreams, key: str) -> None:
    await append(streams, key, 1, 2)
    for sequence in (1, 2):
        with pytest.raises(StaleWriter):
            await append(streams, key, sequence)
    assert await read_numbers(streams, key, 2) == [1, 2]


async def test_a_missing_stream_is_rebuilt_from_rows(streams: LiveStreams, key: str) -> None:
    assert await read_numbers(streams, key, 2, after=3, rows=Rows(1, 3, 4, 7)) == [4, 7]


async def test_events_older_than_the_stream_come_from_rows(streams: LiveStreams, key: str) -> None:
    await append(streams, key, 5, 6)
    assert await read_numbers(streams, key, 4, rows=Rows(1, 4, 5, 6)) == [1, 4, 5, 6]


async def test_an_event_missing_between_others_comes_from_rows(streams: LiveStreams, key: str) -> None:
    """The writer of 2 died between its row and the stream; another went on with 3."""
    await append(streams, key, 1, 3, 4, 6)
    assert await read_numbers(streams, key, 5, rows=Rows(1, 2, 3)) == [1, 2, 3, 4, 6]


async def test_a_last_event_that_never_reached_the_stream_comes_from_rows(
    streams: LiveStreams, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_IDLE_SECONDS", 0.05)
    rows = Rows(1, 2)
    await append(streams, key, 1, 2)
    following = asyncio.create_task(read_numbers(streams, key, 3, rows=rows))
    rows.sequences.append(3)
    assert await following == [1, 2, 3]


async def test_a_follower_survives_a_stream_that_is_deleted(
    streams: LiveStreams, redis: Redis, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_IDLE_SECONDS", 0.05)
    rows = Rows(1, 2)
    await append(streams, key, 1, 2)
    async with asyncio.timeout(30):
        async with aclosing(streams.follow(key, 0, rows)) as events:
            seen = [(await anext(events)).sequence for _ in range(2)]
            await redis.delete(f"live:{key}")
            await append(streams, key, 3)
            seen.append((await anext(events)).sequence)
    assert seen == [1, 2, 3]


async def test_the_reader_stops_with_the_last_follower(streams: LiveStreams, key: str) -> None:
    await append(streams, key, 1)
    await read_numbers(streams, key, 1)
    reader = streams._reader
    assert reader is not None
    async with asyncio.timeout(30):
        await reader
    assert await read_numbers(streams, key, 1) == [1]


async def test_streams_expire(streams: LiveStreams, redis: Redis, key: str) -> None:
    await append(streams, key, 1)
    assert 0 < await redis.ttl(f"live:{key}") <= 7 * 24 * 3600
