"""A domain's PostgreSQL database: its connections, its sessions and the base of its tables."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import DateTime, Enum, MetaData, event, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from subgraphs.common.telemetry import SQL_STATEMENTS
from subgraphs.common.tracing import instrument_engine

_STATEMENT_SECONDS = 60
"""The statement_timeout of every connection."""

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The base of every table; a domain derives its own with `metadata = create_metadata(name)`."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[str]: JSONB,
        list[dict[str, Any]]: JSONB,
    }


def create_metadata(domain: str) -> MetaData:
    """Create metadata for tables in the domain's own PostgreSQL schema."""
    return MetaData(schema=domain, naming_convention=_NAMES)


def create_enum_type(values: type[StrEnum]) -> Enum:
    """Create the column type of an enum: its names as text, without a constraint in the database."""
    return Enum(values, native_enum=False, length=20)


class Database:
    """At most `pool_size` connections to PostgreSQL as one domain's role, half of which are kept open."""

    def __init__(self, url: str, service: str, pool_size: int) -> None:
        kept = pool_size // 2
        self.engine = create_async_engine(
            url,
            pool_size=kept,
            max_overflow=pool_size - kept,
            hide_parameters=True,
            connect_args={"server_settings": {"statement_timeout": str(_STATEMENT_SECONDS * 1000)}},
        )
        event.listen(self.engine.sync_engine, "checkout", _check_connection)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        # PostgreSQL's default isolation has no snapshot over several statements, so a transaction would only
        # cost two round trips.
        self._read_engine = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        statements = SQL_STATEMENTS.labels(service)
        event.listen(self.engine.sync_engine, "before_cursor_execute", lambda *_: statements.inc())
        instrument_engine(self.engine.sync_engine)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Open a session for one read, without a transaction: each statement sees what is committed by then.

        It must not be shared: sibling GraphQL fields run concurrently.
        """
        async with self._sessions(bind=self._read_engine) as session:
            yield session

    def session(self) -> AsyncSession:
        """Create a session for a unit of work."""
        return self._sessions()

    async def check(self) -> None:
        """Raise when the database does not answer."""
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def _check_connection(connection: Any, *_: object) -> None:
    """Let the pool replace a connection that PostgreSQL has closed, without asking PostgreSQL."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError
