"""The connection to Redis: commands end by their deadline, and at once when they are cancelled."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping

import pytest
from arq.connections import ArqRedis
from redis.asyncio import Redis
from redis.exceptions import TimeoutError as RedisTimeoutError

from subgraphs.common import redis as common_redis
from subgraphs.common.redis import open_redis
from tests.support.subgraph import build_settings
from workers.arq_worker import open_queue


@pytest.fixture(params=["redis", "queue"])
async def client(servers: Mapping[str, str], request: pytest.FixtureRequest) -> AsyncIterator[Redis]:
    settings = build_settings("auth", servers)
    opened = open_redis(settings.redis_url) if request.param == "redis" else open_queue(settings)
    assert isinstance(opened, ArqRedis) is (request.param == "queue")
    yield opened
    await opened.aclose(close_connection_pool=True)


@pytest.mark.parametrize("steps", range(12))
async def test_no_cancellation_is_lost_at_any_step_of_a_command(client: Redis, steps: int) -> None:
    """Each command takes some iterations of the event loop; the cancellation comes after so many of them."""
    await client.ping()
    for _ in range(20):
        command = asyncio.ensure_future(client.set("a", "b"))
        for _ in range(steps):
            await asyncio.sleep(0)
        if command.cancel():
            with pytest.raises(asyncio.CancelledError):
                await command


async def test_a_silent_server_is_given_up_after_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common_redis, "_TIMEOUT_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = open_redis(f"redis://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(RedisTimeoutError):
            await client.ping()
        await client.aclose()


async def test_a_subscriber_waits_as_long_as_it_wants_to(
    servers: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(common_redis, "_TIMEOUT_SECONDS", 0.5)
    async with open_redis(build_settings("auth", servers).redis_url) as client, client.pubsub() as subscriber:
        await subscriber.subscribe("nothing")
        assert (await subscriber.get_message(timeout=5))["type"] == "subscribe"
        assert await subscriber.get_message(timeout=1.0) is None
        await client.publish("nothing", "something")
        assert (await subscriber.get_message(timeout=5))["data"] == b"something"
