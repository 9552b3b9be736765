"""One domain's PostgreSQL: its engine, its short read sessions and the base of its tables."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import DateTime, MetaData, event, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from subgraphs.common.telemetry import SQL_STATEMENTS

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
    """The base of every table; a domain derives its own with `metadata = domain_metadata(name)`."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[str]: JSONB,
    }


def domain_metadata(domain: str) -> MetaData:
    """Metadata whose tables live in the domain's own Postgres schema."""
    return MetaData(schema=domain, naming_convention=_NAMES)


class Database:
    """Connections to PostgreSQL as one domain's role."""

    def __init__(self, url: str, service: str) -> None:
        self.engine = create_async_engine(
            url,
            pool_size=4,
            max_overflow=4,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"server_settings": {"statement_timeout": str(_STATEMENT_SECONDS * 1000)}},
        )
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        statements = SQL_STATEMENTS.labels(service)
        event.listen(self.engine.sync_engine, "before_cursor_execute", lambda *_: statements.inc())

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session for one read: never shared, since sibling GraphQL fields run concurrently."""
        async with self._sessions() as session:
            yield session

    def session(self) -> AsyncSession:
        """A session for a unit of work."""
        return self._sessions()

    async def check(self) -> None:
        """Raise when the database does not answer."""
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()
