"""Live streams: a follower misses no event, whatever is lost, and costs nothing while nothing happens."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from subgraphs.common import live
from subgraphs.common.ids import new_id
from subgraphs.common.live import History, LiveEvent, LiveStreams, StaleWriter
from subgraphs.common.runtime import open_runtime
from subgraphs.domains import DOMAINS
from tests.support.commandstats import count_commands
from tests.support.outages import cut_off_valkey
from tests.support.serving import refuse_connections
from tests.support.subgraph import build_settings

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
RETENTION = timedelta(days=2)


@pytest.fixture
async def streams(redis: Redis) -> AsyncIterator[LiveStreams]:
    live_streams = LiveStreams(redis, RETENTION)
    yield live_streams
    await live_streams.close()


@pytest.fixture
def key() -> str:
    return new_id("gen")


def build_event(sequence: int, kind: str = "step") -> LiveEvent:
    return LiveEvent(sequence, kind, NOW, {"number": sequence})


class Rows:
    """The events that are stored as rows, and how often they are read."""

    def __init__(self, *sequences: int) -> None:
        self.sequences = list(sequences)
        self.reads = self.checks = self.concurrent = self.max_concurrent = 0

    async def list_events(self, key: str, after: int) -> Sequence[LiveEvent]:
        del key
        self.reads += 1
        self.concurrent += 1
        self.max_concurrent = max(self.max_concurrent, self.concurrent)
        await asyncio.sleep(0.001)
        self.concurrent -= 1
        return [build_event(sequence, "row") for sequence in self.sequences if sequence > after]

    async def find_newest(self, keys: Sequence[str]) -> Mapping[str, int]:
        self.checks += 1
        return dict.fromkeys(keys, max(self.sequences, default=0))


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


class Following:
    """A follower in a task of its own, and the numbers that it has got."""

    def __init__(self, streams: LiveStreams, key: str, after: int = 0, rows: Rows | None = None) -> None:
        self.numbers: list[int] = []
        self.task = asyncio.create_task(self._follow(streams.follow(key, after, rows or Rows())))

    async def _follow(self, events: AsyncGenerator[LiveEvent]) -> None:
        async with aclosing(events):
            async for event in events:
                self.numbers.append(event.sequence)

    async def reach(self, number: int) -> list[int]:
        """Wait until it has got an event; return all numbers."""
        async with asyncio.timeout(30):
            while number not in self.numbers:  # noqa: ASYNC110 - a server answers
                await asyncio.sleep(0.005)
        return self.numbers

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def count_settled_commands(redis: Redis) -> Counter[str]:
    """Count the commands once new followers have read all that they read as their channels open."""
    before, count = None, await count_commands(redis)
    async with asyncio.timeout(30):
        while count != before:
            await asyncio.sleep(0.3)
            before, count = count, await count_commands(redis)
    return count


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


async def test_an_event_is_received_once_for_all_followers(
    streams: LiveStreams, redis: Redis, key: str
) -> None:
    others = [new_id("gen") for _ in range(5)]
    names, rows = [key, *others], Rows()
    for name in names:
        await append(streams, name, 1)
    followings = [Following(streams, name, rows=rows) for name in names for _ in range(20)]
    for each in followings:
        await each.reach(1)
    before = await count_settled_commands(redis)
    for sequence in (2, 3):
        for name in names:
            await append(streams, name, sequence)
    assert [await each.reach(3) for each in followings] == [[1, 2, 3]] * 120
    # Followers have sent nothing.
    appended = Counter(dict.fromkeys(("evalsha", "xadd", "expire", "publish"), 2 * len(names)))
    assert await count_commands(redis) - before == appended
    assert rows.reads == 0
    for each in followings:
        await each.stop()


async def test_followers_for_whom_nothing_happens_send_no_command_and_share_one_check_of_rows(
    streams: LiveStreams, redis: Redis, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_CHECK_SECONDS", 0.1)
    names, rows = [key, *(new_id("gen") for _ in range(9))], Rows(1)
    for name in names:
        await append(streams, name, 1)
    followings = [Following(streams, name, rows=rows) for name in names for _ in range(10)]
    for each in followings:
        await each.reach(1)
    before, reads, checks = await count_settled_commands(redis), rows.reads, rows.checks
    await asyncio.sleep(1)
    assert await count_commands(redis) == before
    # On a busy machine the first check may come before all have subscribed, and they read rows.
    assert rows.reads == reads
    assert 5 <= rows.checks - checks <= 10
    for each in followings:
        await each.stop()


async def test_followers_who_come_at_once_read_a_few_at_a_time(streams: LiveStreams) -> None:
    rows = Rows(1)
    followings = [Following(streams, new_id("gen"), rows=rows) for _ in range(100)]
    for each in followings:
        assert await each.reach(1) == [1]
    assert rows.max_concurrent <= 4
    for each in followings:
        await each.stop()


async def test_a_follower_whose_client_is_slow_gets_every_event(
    streams: LiveStreams, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_MAX_WAITING", 3)
    await append(streams, key, 1)
    async with aclosing(streams.follow(key, 0, Rows())) as events:
        assert (await anext(events)).sequence == 1
        await append(streams, key, *range(2, 21))
        async with asyncio.timeout(30):
            assert [(await anext(events)).sequence for _ in range(19)] == list(range(2, 21))


class ResumedStreams(LiveStreams):
    """Live streams, each of which goes on after its last event when a read is cut off, as the router does."""

    async def follow(self, key: str, after: int, history: History) -> AsyncGenerator[LiveEvent]:
        """Follow a stream through cuts."""
        while True:
            try:
                async with aclosing(super().follow(key, after, history)) as events:
                    async for event in events:
                        after = event.sequence
                        yield event
            except RedisConnectionError:
                continue


async def test_followers_miss_nothing_while_connections_are_cut(
    servers: Mapping[str, str], redis: Redis, key: str
) -> None:
    streams = ResumedStreams(redis, RETENTION)
    writer = Redis.from_url(build_settings("auth", servers).redis_url)
    writing = LiveStreams(writer, RETENTION)
    await append(writing, key, 1)
    following = Following(streams, key)
    await following.reach(1)
    async with cut_off_valkey(servers):
        for sequence in range(2, 30):
            await append_in_spite_of_cuts(writing, key, sequence)
    await append(writing, key, 30)
    assert await following.reach(30) == list(range(1, 31))
    await following.stop()
    await streams.close()
    await writing.close()
    await writer.aclose()


async def append_in_spite_of_cuts(streams: LiveStreams, key: str, sequence: int) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                await append(streams, key, sequence)
            except RedisConnectionError:
                continue
            except StaleWriter:
                # It was appended, and then the connection was cut.
                return
            else:
                return


async def test_a_follower_who_comes_while_redis_is_unavailable_waits_for_it() -> None:
    async with refuse_connections() as nobody, Redis(port=int(nobody.rpartition(":")[2])) as unavailable:
        streams = LiveStreams(unavailable, RETENTION)
        following = Following(streams, new_id("gen"))
        await asyncio.sleep(0.5)
        assert (following.numbers, following.task.done()) == ([], False)
        await following.stop()
        await streams.close()


async def test_an_event_that_is_refused_is_not_published(
    streams: LiveStreams, redis: Redis, key: str
) -> None:
    await append(streams, key, 1, 5)
    async with redis.pubsub() as pubsub:
        await pubsub.subscribe(f"live:{key}")
        assert (await pubsub.get_message(timeout=5) or {})["type"] == "subscribe"
        with pytest.raises(StaleWriter):
            await append(streams, key, 3)
        await append(streams, key, 6)
        assert (await pubsub.get_message(timeout=5) or {})["data"].startswith(b"6 ")


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
    monkeypatch.setattr(live, "_CHECK_SECONDS", 0.05)
    rows = Rows(1, 2)
    await append(streams, key, 1, 2)
    following = asyncio.create_task(read_numbers(streams, key, 3, rows=rows))
    rows.sequences.append(3)
    assert await following == [1, 2, 3]


async def test_a_follower_survives_a_stream_that_is_deleted(
    streams: LiveStreams, redis: Redis, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_CHECK_SECONDS", 0.05)
    rows = Rows(1, 2)
    await append(streams, key, 1, 2)
    async with asyncio.timeout(30):
        async with aclosing(streams.follow(key, 0, rows)) as events:
            seen = [(await anext(events)).sequence for _ in range(2)]
            await redis.delete(f"live:{key}")
            await append(streams, key, 3)
            seen.append((await anext(events)).sequence)
    assert seen == [1, 2, 3]


async def test_a_follower_of_a_stream_that_starts_empty_again_gets_the_events_that_follow(
    streams: LiveStreams, redis: Redis, key: str
) -> None:
    rows = Rows(1, 3)
    await append(streams, key, 1, 2, 3)
    following = Following(streams, key, rows=rows)
    await following.reach(3)
    await redis.delete(f"live:{key}")
    # 4 was never appended, and its row is committed after the stream was lost.
    rows.sequences.append(4)
    await append(streams, key, 5)
    assert await following.reach(5) == [1, 2, 3, 4, 5]
    await following.stop()


async def test_a_stream_expires_when_nothing_was_appended_for_as_long_as_the_retention(
    streams: LiveStreams, redis: Redis, key: str
) -> None:
    retention = RETENTION.total_seconds()
    await append(streams, key, 1)
    await redis.expire(f"live:{key}", 10)
    await append(streams, key, 2)
    assert retention - 60 < await redis.ttl(f"live:{key}") <= retention


@pytest.mark.parametrize("environ", [{}, {"LIVE_RETENTION_DAYS": "3"}])
async def test_the_retention_of_streams_is_a_setting(
    servers: Mapping[str, str], redis: Redis, key: str, environ: dict[str, str]
) -> None:
    async with open_runtime(DOMAINS["auth"], build_settings("auth", {**servers, **environ})) as runtime:
        await append(runtime.live, key, 1)
    days = int(environ.get("LIVE_RETENTION_DAYS", 1))
    assert days - 0.01 < await redis.ttl(f"live:{key}") / 86400 <= days
