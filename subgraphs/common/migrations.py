"""Migrations of a domain by Alembic, in the domain's own schema and with its own version table."""

from __future__ import annotations

import asyncio
from importlib import import_module
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, MetaData, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

_TEMPLATE_OPTIONS = {"file_template": "%%(rev)s_%%(slug)s", "path_separator": "os"}


def build_config(domain: str, url: str) -> Config:
    """Build the Alembic configuration of a domain; `url` is a SQLAlchemy URL for asyncpg."""
    config = Config()
    folder = Path(str(import_module(f"subgraphs.{domain}").__file__)).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    config.attributes["url"] = url
    for option, value in _TEMPLATE_OPTIONS.items():
        config.set_main_option(option, value)
    return config


def upgrade(domain: str, url: str) -> None:
    """Upgrade a domain's schema to the newest revision; it must exist and belong to the role of `url`."""
    command.upgrade(build_config(domain, url), "head")


def revise(domain: str, url: str, message: str) -> Path:
    """Write the next revision: the difference between the database and the models; return its file."""
    config = build_config(domain, url)
    past = len(list(ScriptDirectory.from_config(config).walk_revisions()))
    script = command.revision(config, message=message, autogenerate=True, rev_id=f"{past + 1:04}")
    assert isinstance(script, Script), "a single revision was requested"
    return Path(script.path)


def run(domain: str, metadata: MetaData) -> None:
    """Run migrations under Alembic; each domain's `migrations/env.py` calls this."""
    asyncio.run(_run(domain, metadata))


async def _run(domain: str, metadata: MetaData) -> None:
    # With the domain's schema in the search path, Alembic would attribute its tables to the default schema.
    engine = create_async_engine(
        context.config.attributes["url"],
        poolclass=pool.NullPool,
        connect_args={"server_settings": {"search_path": "pg_catalog"}},
    )
    async with engine.connect() as connection:
        await connection.run_sync(_migrate, domain, metadata)
    await engine.dispose()


def _migrate(connection: Connection, domain: str, metadata: MetaData) -> None:
    # A migration must not wait for a long query, because all later queries would wait for the migration.
    connection.execute(text("SET lock_timeout = '5s'"))
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table_schema=domain,
        include_schemas=True,
        include_name=lambda name, kind, _: kind != "schema" or name == domain,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
