"""Outages of the real servers: connections that are cut, and new ones that are refused or cut again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import asyncpg
from redis.asyncio import Redis

from subgraphs.domains import DOMAINS
from tests.support.subgraph import build_settings


@asynccontextmanager
async def cut_off_postgres(environ: Mapping[str, str], domain: str) -> AsyncIterator[None]:
    """Cut a domain's connections to PostgreSQL, and let it refuse new ones, inside of the block."""
    role = DOMAINS[domain].role
    owner = await _connect_as_owner(environ)
    try:
        await owner.execute(f"ALTER ROLE {role} CONNECTION LIMIT 0")
        await owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", role)
        yield
    finally:
        await owner.execute(f"ALTER ROLE {role} CONNECTION LIMIT -1")
        await owner.close()


@asynccontextmanager
async def cut_off_valkey(environ: Mapping[str, str]) -> AsyncIterator[None]:
    """Cut all connections to Valkey, again and again, inside of the block; its data stays."""
    valkey = Redis.from_url(build_settings("auth", environ).redis_url, single_connection_client=True)

    async def cut() -> None:
        while True:
            for kind in ("normal", "pubsub"):
                await valkey.client_kill_filter(_type=kind, skipme=True)
            await asyncio.sleep(0.002)

    cutting = asyncio.create_task(cut())
    try:
        yield
    finally:
        cutting.cancel()
        await asyncio.gather(cutting, return_exceptions=True)
        await valkey.aclose()


async def _connect_as_owner(environ: Mapping[str, str]) -> asyncpg.Connection:
    """Connect to PostgreSQL as the owner of the database."""
    return await asyncpg.connect(
        host=environ["POSTGRES_HOST"],
        port=int(environ["POSTGRES_PORT"]),
        user=environ["POSTGRES_USER"],
        password=environ["POSTGRES_PASSWORD"],
        database=environ["POSTGRES_DB"],
    )
