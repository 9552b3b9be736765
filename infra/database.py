"""The database of the platform: a role and a schema per domain, and its migrations run as that role."""

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

CONNECT_WITHIN = 10.0


@dataclass(frozen=True, slots=True)
class Database:
    """How to reach the platform's database, as its owner or as one domain."""

    host: str
    port: int
    name: str
    user: str
    password: str = field(repr=False)
    role_passwords: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Database:
        """Read the settings.

        Raises:
            InfraError: A domain's password is not set.
        """
        settings = {name: domain.password_variable for name, domain in DOMAINS.items()}
        missing = [setting for setting in settings.values() if not environ.get(setting)]
        if missing:
            raise InfraError(
                f"Set {', '.join(missing)}: each domain reaches the database with a password of its own."
            )
        return cls(
            host=environ.get("POSTGRES_HOST", "127.0.0.1"),
            port=int(environ.get("POSTGRES_PORT", "5432")),
            name=environ.get("POSTGRES_DB", "memorable"),
            user=environ.get("POSTGRES_USER", "postgres"),
            password=environ.get("POSTGRES_PASSWORD", ""),
            role_passwords={domain: environ[setting] for domain, setting in settings.items()},
        )

    def url(self, domain: str) -> str:
        """The SQLAlchemy address, as the domain's role."""
        password = quote(self.role_passwords[domain], safe="")
        return f"postgresql+asyncpg://{DOMAINS[domain].role}:{password}@{self.host}:{self.port}/{self.name}"

    async def connect(self, database: str | None = None) -> asyncpg.Connection:
        """Connect as the owner.

        Raises:
            InfraError: The server does not answer, or refuses the owner.
        """
        try:
            return await asyncpg.connect(
                host=self.host,
                port=self.port,
                user=self.user,
                password=self.password,
                database=database or self.name,
                timeout=CONNECT_WITHIN,
            )
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            raise InfraError(
                f"PostgreSQL at {self.host}:{self.port} (POSTGRES_HOST, POSTGRES_PORT) is no use: {error}"
            ) from error


def migrate(environ: Mapping[str, str]) -> None:
    """Create the database, roles and schemas that are missing, then run every domain's migrations."""
    database = Database.of(environ)
    asyncio.run(_prepare(database))
    for domain in DOMAINS:
        migrations.upgrade(domain, database.url(domain))


def reset(environ: Mapping[str, str]) -> None:
    """Drop the database with all its data, and build it anew."""
    asyncio.run(_drop(Database.of(environ)))
    migrate(environ)


def revise(environ: Mapping[str, str], domain: str, message: str) -> Path:
    """Bring the database up to date, then write a domain's next migration; returns its file."""
    migrate(environ)
    return migrations.revise(domain, Database.of(environ).url(domain), message)


def check(environ: Mapping[str, str]) -> dict[str, str]:
    """Connect as every domain's role; returns, by domain, its newest revision or what is wrong."""
    return asyncio.run(_check(Database.of(environ)))


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
            # The owner on a managed server is no superuser, and must be a member to give the role a schema.
            await _run(server, "GRANT %I TO CURRENT_USER", role)
    await _run(server, "ALTER ROLE %I PASSWORD %L", role, password)


async def _drop(database: Database) -> None:
    server = await database.connect("postgres")
    try:
        await _run(server, "DROP DATABASE IF EXISTS %I WITH (FORCE)", database.name)
    finally:
        await server.close()


async def _check(database: Database) -> dict[str, str]:
    return {domain: await _revision(database, domain) for domain in DOMAINS}


async def _revision(database: Database, domain: str) -> str:
    try:
        connection = await asyncpg.connect(
            database.url(domain).replace("postgresql+asyncpg", "postgresql"), timeout=CONNECT_WITHIN
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
    """Execute a statement that takes no parameters; PostgreSQL itself quotes names (%I) and texts (%L)."""
    places = ", ".join(f"${number}::text" for number in range(2, len(values) + 2))
    statement = await connection.fetchval(
        f"SELECT format({', '.join(filter(None, ['$1', places]))})", template, *values
    )
    await connection.execute(statement)


if __name__ == "__main__":
    try:
        migrate(os.environ)
    except InfraError as error:
        sys.exit(str(error))
