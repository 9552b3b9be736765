"""Channels: one connection for all of them, which is opened again whenever it breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field

import pytest
from redis.asyncio import Redis

from subgraphs.common import channels
from subgraphs.common.channels import Channels
from subgraphs.common.ids import new_id
from tests.support.outages import cut_off_valkey


@pytest.fixture
async def listening(redis: Redis) -> AsyncIterator[Channels]:
    listening = Channels(redis)
    yield listening
    await listening.close()


@dataclass
class Recorder:
    """A listener that records the messages, and how often its channel was opened."""

    messages: list[bytes] = field(default_factory=list)
    openings: int = 0

    def on_open(self) -> None:
        self.openings += 1

    def on_message(self, message: bytes) -> None:
        self.messages.append(message)

    async def wait_for(self, condition: Callable[[Recorder], bool]) -> None:
        async with asyncio.timeout(30):
            while not condition(self):  # noqa: ASYNC110 - a server answers
                await asyncio.sleep(0.005)


@pytest.fixture
def channel() -> str:
    return new_id("channel")


async def listen(listening: Channels, channel: str) -> Recorder:
    """Listen to a channel, and wait until it is open."""
    recorder = Recorder()
    listening.listen(channel, recorder)
    await recorder.wait_for(lambda it: it.openings > 0)
    return recorder


async def count_subscribers(redis: Redis, channel: str) -> int:
    [(_, number)] = await redis.pubsub_numsub(channel)
    return int(number)


async def count_connections(redis: Redis) -> int:
    """Count the connections that have subscribed to anything."""
    return len(await redis.client_list(_type="pubsub"))


async def test_a_listener_receives_each_message_of_its_channel(listening: Channels, redis: Redis) -> None:
    names = [new_id("channel") for _ in range(50)]
    recorders = [Recorder() for _ in names]
    before = await count_connections(redis)
    for name, recorder in zip(names, recorders, strict=True):
        listening.listen(name, recorder)
    for recorder in recorders:
        await recorder.wait_for(lambda it: it.openings == 1)
    for name in names:
        await redis.publish(name, f"to {name}")
    for name, recorder in zip(names, recorders, strict=True):
        await recorder.wait_for(lambda it: bool(it.messages))
        assert recorder.messages == [f"to {name}".encode()]
    assert await count_connections(redis) == before + 1


async def test_a_channel_that_was_left_is_unsubscribed(
    listening: Channels, redis: Redis, channel: str
) -> None:
    recorder = await listen(listening, channel)
    assert listening.is_open(channel)
    listening.leave(channel)
    async with asyncio.timeout(30):
        while await count_subscribers(redis, channel):  # noqa: ASYNC110 - a server answers
            await asyncio.sleep(0.005)
    assert not listening.is_open(channel)
    await redis.publish(channel, "unheard")
    assert recorder.messages == []


async def test_a_channel_that_is_left_and_listened_to_at_once_is_received(
    listening: Channels, redis: Redis, channel: str
) -> None:
    await listen(listening, channel)
    for _ in range(3):
        listening.leave(channel)
        recorder = await listen(listening, channel)
        await redis.publish(channel, "heard")
        await recorder.wait_for(lambda it: it.messages == [b"heard"])


async def test_a_listener_is_notified_when_messages_may_have_been_missed(
    servers: Mapping[str, str], listening: Channels, redis: Redis, channel: str
) -> None:
    recorder = await listen(listening, channel)
    async with cut_off_valkey(servers):
        await asyncio.sleep(0.5)
    await recorder.wait_for(lambda it: listening.is_open(channel) and it.openings > 1)
    await redis.publish(channel, "heard")
    await recorder.wait_for(lambda it: b"heard" in it.messages)


async def test_a_connection_is_opened_again_however_often_it_breaks(
    listening: Channels, redis: Redis, channel: str
) -> None:
    recorder = await listen(listening, channel)
    for _ in range(3):
        recorder.openings = 0
        await redis.client_kill_filter(_type="pubsub")
        await recorder.wait_for(lambda it: it.openings == 1)
    await redis.publish(channel, "heard")
    await recorder.wait_for(lambda it: it.messages == [b"heard"])
    # Before Python 3.11.3, no timeout works in a task that counts as cancelled.
    assert [task for task in asyncio.all_tasks() if task.cancelling()] == []


async def test_a_connection_that_does_not_answer_is_replaced(
    listening: Channels, redis: Redis, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "_IDLE_SECONDS", 0.1)
    recorder = await listen(listening, channel)
    await redis.client_pause(1000)
    await recorder.wait_for(lambda it: it.openings > 1)


async def test_a_silent_connection_that_answers_is_kept(
    listening: Channels, redis: Redis, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "_IDLE_SECONDS", 0.05)
    recorder = await listen(listening, channel)
    await asyncio.sleep(0.5)
    await redis.publish(channel, "heard")
    await recorder.wait_for(lambda it: it.messages == [b"heard"])
    assert recorder.openings == 1


async def test_a_channel_stays_open_for_longer_than_a_command_may_take(
    listening: Channels, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subgraphs.common.redis._TIMEOUT_SECONDS", 0.2)
    recorder = await listen(listening, channel)
    await asyncio.sleep(1)
    assert (recorder.openings, listening.is_open(channel)) == (1, True)
