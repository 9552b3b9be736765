"""The platform's database: one role and one schema per domain, migrated as that role."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import asyncpg

from infra.errors import InfraError
from subgraphs.common import migrations
from subgraphs.domains import DOMAINS

CONNECT_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Database:
    """Connection parameters of the platform's database, for its owner and for each domain."""

    host: str
    port: int
    name: str
    user: str
    password: str = field(repr=False)
    role_passwords: Mapping[str, str] = field(repr=False)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Database:
        """Read the connection parameters from settings.

        Raises:
            InfraError: A domain's password is not set.
        """
        settings = {name: domain.password_variable for name, domain in DOMAINS.items()}
        missing = [setting for setting in settings.values() if not environ.get(setting)]
        if missing:
            raise InfraError(
                f"Set {', '.join(missing)}: each domain connects to the database with its own password."
            )
        return cls(
            host=environ.get("POSTGRES_HOST", "127.0.0.1"),
            port=int(environ.get("POSTGRES_PORT", "5432")),
            name=environ.get("POSTGRES_DB", "memorable"),
            user=environ.get("POSTGRES_USER", "postgres"),
            password=environ.get("POSTGRES_PASSWORD", ""),
            role_passwords={domain: environ[setting] for domain, setting in settings.items()},
        )

    def build_url(self, domain: str) -> str:
        """Build the SQLAlchemy URL for the domain's role."""
        password = quote(self.role_passwords[domain], safe="")
        return f"postgresql+asyncpg://{DOMAINS[domain].role}:{password}@{self.host}:{self.port}/{self.name}"

    async def connect(self, database: str | None = None) -> asyncpg.Connection:
        """Connect as the owner.

        Raises:
            InfraError: The server cannot be reached or rejects the owner's credentials.
        """
        try:
            return await asyncpg.connect(
                host=self.host,
                port=self.port,
                user=self.user,
                password=self.password,
                database=database or self.name,
                timeout=CONNECT_TIMEOUT,
            )
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            raise InfraError(
                f"Cannot connect to PostgreSQL at {self.host}:{self.port} "
                f"(POSTGRES_HOST, POSTGRES_PORT): {error}"
            ) from error


def migrate(environ: Mapping[str, str]) -> None:
    """Create missing roles, schemas and the database itself, then run every domain's migrations."""
    database = Database.from_environ(environ)
    asyncio.run(_prepare(database))
    for domain in DOMAINS:
        migrations.upgrade(domain, database.build_url(domain))


def reset(environ: Mapping[str, str]) -> None:
    """Drop the database with all its data and create it again."""
    asyncio.run(_drop(Database.from_environ(environ)))
    migrate(environ)


def revise(environ: Mapping[str, str], domain: str, message: str) -> Path:
    """Migrate the database, then write a domain's next migration; return its file."""
    migrate(environ)
    return migrations.revise(domain, Database.from_environ(environ).build_url(domain), message)


def check(environ: Mapping[str, str]) -> dict[str, str]:
    """Connect as each domain's role; return each domain's revision, or the problem."""
    return asyncio.run(_check(Database.from_environ(environ)))


async def _prepare(database: Database) -> None:
    server = await database.connect("postgres")
    try:
        if not await server.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", database.name):
            await _run(server, "CREATE DATABASE %I", database.name)
        for name, domain in DOMAINS.items():
            await _ensure_role(server, domain.role, database.role_passwords[name])
    finally:
        await server.close()
    owner = await database.connect()
    try:
        await _run(owner, "REVOKE ALL ON DATABASE %I FROM PUBLIC", database.name)
        await _run(owner, "REVOKE ALL ON SCHEMA public FROM PUBLIC")
        for name, domain in DOMAINS.items():
            await _run(owner, "GRANT CONNECT ON DATABASE %I TO %I", database.name, domain.role)
            await _run(owner, "CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %I", name, domain.role)
            await _run(
                owner, "ALTER ROLE %I IN DATABASE %I SET search_path = %I", domain.role, database.name, name
            )
    finally:
        await owner.close()


async def _ensure_role(server: asyncpg.Connection, role: str, password: str) -> None:
    if not await server.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
        await _run(server, "CREATE ROLE %I LOGIN", role)
        if not await server.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
            # The owner of a managed server is no superuser: it must belong to a role to give it a schema.
            await _run(server, "GRANT %I TO CURRENT_USER", role)
    await _run(server, "ALTER ROLE %I PASSWORD %L", role, password)


async def _drop(database: Database) -> None:
    server = await database.connect("postgres")
    try:
        await _run(server, "DROP DATABASE IF EXISTS %I WITH (FORCE)", database.name)
    finally:
        await server.close()


async def _check(database: Database) -> dict[str, str]:
    return {domain: await _read_revision(database, domain) for domain in DOMAINS}


async def _read_revision(database: Database, domain: str) -> str:
    try:
        connection = await asyncpg.connect(
            database.build_url(domain).replace("postgresql+asyncpg", "postgresql"), timeout=CONNECT_TIMEOUT
        )
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        return f"cannot connect: {error}"
    try:
        if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
            return "not migrated"
        return str(await connection.fetchval("SELECT version_num FROM alembic_version"))
    finally:
        await connection.close()


async def _run(connection: asyncpg.Connection, template: str, *values: str) -> None:
    """Execute a utility statement; it cannot have parameters, so format() quotes names and literals."""
    placeholders = ", ".join(f"${number}::text" for number in range(2, len(values) + 2))
    statement = await connection.fetchval(
        f"SELECT format({', '.join(filter(None, ['$1', placeholders]))})", template, *values
    )
    await connection.execute(statement)


if __name__ == "__main__":
    try:
        migrate(os.environ)
    except InfraError as error:
        sys.exit(str(error))
