"""Outages: what real servers raise when they are unavailable, and what only looks like it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import pytest
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from subgraphs.common.database import Database
from subgraphs.common.errors import BadUserInput, DependencyFailed
from subgraphs.common.outages import is_outage
from subgraphs.domains import DOMAINS
from tests.support.outages import cut_off_postgres, cut_off_valkey
from tests.support.serving import refuse_connections
from tests.support.subgraph import build_settings


@pytest.fixture
async def database(servers: Mapping[str, str]) -> AsyncIterator[Database]:
    settings = build_settings("auth", servers)
    opened = Database(settings.build_database_url(DOMAINS["auth"].role), "auth", 8)
    yield opened
    await opened.close()


async def catch(failing: Awaitable[object]) -> Exception:
    """Return the error of what must fail."""
    try:
        await failing
    except Exception as error:  # noqa: BLE001 - it is what the test is about
        return error
    raise AssertionError("it did not fail")


async def read(database: Database, statement: str = "SELECT 1") -> None:
    async with database.read() as session:
        await session.execute(text(statement))


async def test_a_postgresql_that_refuses_connections_is_unavailable(
    servers: Mapping[str, str], database: Database
) -> None:
    async with cut_off_postgres(servers, "auth"):
        assert is_outage(await catch(read(database)))
    await read(database)


async def test_a_postgresql_that_nobody_runs_is_unavailable(servers: Mapping[str, str]) -> None:
    async with refuse_connections() as nobody:
        port = nobody.rpartition(":")[2]
        url = build_settings("auth", {**servers, "POSTGRES_PORT": port}).build_database_url("memorable_auth")
        database = Database(url, "auth", 8)
        assert is_outage(await catch(read(database)))
        await database.close()


async def test_a_statement_whose_connection_is_cut_fails_by_an_outage(database: Database) -> None:
    assert is_outage(await catch(read(database, "SELECT pg_terminate_backend(pg_backend_pid())")))


async def test_a_pool_without_a_free_connection_is_an_outage(database: Database) -> None:
    database.engine.pool._timeout = 0.05  # type: ignore[attr-defined]
    sessions: list[AsyncSession] = [database.session() for _ in range(8)]
    for session in sessions:
        await session.execute(text("SELECT 1"))
    assert is_outage(await catch(read(database)))
    for session in sessions:
        await session.close()


async def test_a_valkey_that_is_unavailable_is_an_outage(servers: Mapping[str, str]) -> None:
    async with refuse_connections() as nobody, Redis(port=int(nobody.rpartition(":")[2])) as valkey:
        assert is_outage(await catch(valkey.ping()))
    async with Redis.from_url(build_settings("auth", servers).redis_url) as valkey, cut_off_valkey(servers):
        assert is_outage(await catch(valkey.blpop(["outages:nothing"])))


@pytest.mark.parametrize("statement", ["SELECT nothing", "SELECT 1 / 0", "INSERT INTO auth.users VALUES (1)"])
async def test_a_statement_that_fails_by_itself_is_no_outage(database: Database, statement: str) -> None:
    assert not is_outage(await catch(read(database, statement)))


@pytest.mark.parametrize(
    "build", [ValueError, lambda: BadUserInput("name", "Too long."), lambda: DependencyFailed("No answer.")]
)
def test_another_error_is_no_outage(build: Callable[[], Exception]) -> None:
    assert not is_outage(build())
    assert not is_outage(None)
