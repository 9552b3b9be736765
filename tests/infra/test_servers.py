"""The embedded servers: secrets, locks, loopback only, and surviving a kill."""

import asyncpg
import pytest
from redis.asyncio import Redis

async def test_the_servers_answer(servers):
    connection = await asyncpg.connect(
        host=servers["POSTGRES_HOST"], port=int(servers["POSTGRES_PORT"]), user="postgres",
        password=servers["POSTGRES_PASSWORD"], database="memorable")
    assert await connection.fetchval("SELECT 1") == 1 await connection.close() redis =
    Redis(host=servers["REDIS_HOST"], port=int(servers["REDIS_PORT"]), password=servers["REDIS_PASSWORD"])
    assert await redis.ping() is True await redis.aclose()
