"""The runtime of one domain, which stands in for all, and the client of Redis that every process has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import pytest
from redis.asyncio import Redis

from subgraphs.common.redis import open_redis
from subgraphs.common.runtime import Runtime, open_runtime
from subgraphs.domains import DOMAINS
from tests.support.subgraph import build_settings


@pytest.fixture
async def runtime(servers: Mapping[str, str]) -> AsyncIterator[Runtime]:
    async with open_runtime(DOMAINS["auth"], build_settings("auth", servers)) as runtime:
        yield runtime


@pytest.fixture
async def redis(servers: Mapping[str, str]) -> AsyncIterator[Redis]:
    client = open_redis(build_settings("auth", servers).redis_url)
    yield client
    await client.aclose()
