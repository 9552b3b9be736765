"""The connections of a domain's database, and what a read costs."""

from __future__ import annotations

import asyncio

from sqlalchemy import text

from subgraphs.common.database import Database
from subgraphs.common.runtime import Runtime

PID = text("SELECT pg_backend_pid()")
TERMINATE = text("SELECT pg_terminate_backend(:pid)")
STATE = text("SELECT state, query FROM pg_stat_activity WHERE pid = :pid")


async def read_pid(database: Database) -> int:
    async with database.read() as session:
        return int((await session.execute(PID)).scalar_one())


async def test_a_connection_that_postgresql_has_closed_is_replaced_before_its_next_use(
    runtime: Runtime,
) -> None:
    engine = runtime.database.engine
    async with engine.connect() as pooled, engine.connect() as terminating:
        pid = (await pooled.execute(PID)).scalar_one()
        connection = (await pooled.get_raw_connection()).driver_connection
        assert connection is not None
        await pooled.close()
        await terminating.execute(TERMINATE, {"pid": pid})
        async with asyncio.timeout(30):
            while not connection.is_closed():  # noqa: ASYNC110 - asyncpg tells no one
                await asyncio.sleep(0.01)
        assert await read_pid(runtime.database) != pid


async def test_a_read_is_a_single_statement_without_a_transaction(runtime: Runtime) -> None:
    pid = await read_pid(runtime.database)
    async with runtime.database.engine.connect() as held, runtime.database.engine.connect() as observing:
        assert (await held.execute(PID)).scalar_one() == pid
        await held.close()
        async with runtime.database.read() as session:
            assert (await session.execute(PID)).scalar_one() == pid
            found = (await observing.execute(STATE, {"pid": pid})).one()
    assert (found.state, found.query) == ("idle", PID.text)
