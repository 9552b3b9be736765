"""Fixtures for the worker tests: the platform's runtimes, and queues in a Redis database of their own."""

from collections.abc import AsyncIterator, Mapping

import pytest
from arq.connections import ArqRedis
from sqlalchemy import delete

from subgraphs.domains import DOMAINS
from tests.support.subgraph import build_settings
from workers.arq_worker import open_queue
from workers.platform import Platform, open_platform


@pytest.fixture
def environ(servers: Mapping[str, str]) -> dict[str, str]:
    return {**servers, "REDIS_DB": "7"}


@pytest.fixture
async def platform(environ: dict[str, str]) -> AsyncIterator[Platform]:
    """The platform, without the messages that other tests have sent."""
    async with open_platform({domain: build_settings(domain, environ) for domain in DOMAINS}) as opened:
        for runtime in opened.runtimes.values():
            async with runtime.unit_of_work() as uow:
                for table in ("outbox", "deliveries"):
                    await uow.session.execute(delete(runtime.domain.get_table(table)))
        yield opened


@pytest.fixture
async def queue(environ: dict[str, str]) -> AsyncIterator[ArqRedis]:
    pool = open_queue(build_settings("auth", environ))
    await pool.flushdb()
    yield pool
    await pool.flushdb()
    await pool.aclose(close_connection_pool=True)
