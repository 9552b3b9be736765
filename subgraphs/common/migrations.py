"""Migrations of one domain: Alembic in the domain's own schema, with its own version table."""

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


def config(domain: str, url: str) -> Config:
    """The Alembic configuration of a domain; `url` is a SQLAlchemy asyncpg address."""
    settings = Config()
    folder = Path(str(import_module(f"subgraphs.{domain}").__file__)).parent / "migrations"
    settings.set_main_option("script_location", str(folder))
    settings.attributes["url"] = url
    for option, value in _TEMPLATE_OPTIONS.items():
        settings.set_main_option(option, value)
    return settings


def upgrade(domain: str, url: str) -> None:
    """Bring a domain's schema to its newest revision; it must exist and belong to the role of `url`."""
    command.upgrade(config(domain, url), "head")


def revise(domain: str, url: str, message: str) -> Path:
    """Write the next revision: how the code differs from an up-to-date database; return its file."""
    settings = config(domain, url)
    past = len(list(ScriptDirectory.from_config(settings).walk_revisions()))
    script = command.revision(settings, message=message, autogenerate=True, rev_id=f"{past + 1:04}")
    assert isinstance(script, Script), "one revision was asked for"
    return Path(script.path)


def run(domain: str, metadata: MetaData) -> None:
    """Run under Alembic: each domain's `migrations/env.py` is one call of this."""
    asyncio.run(_run(domain, metadata))


async def _run(domain: str, metadata: MetaData) -> None:
    # With the domain's schema in the search path Alembic would take its tables for another schema's.
    engine = create_async_engine(
        context.config.attributes["url"],
        poolclass=pool.NullPool,
        connect_args={"server_settings": {"search_path": "pg_catalog"}},
    )
    async with engine.connect() as connection:
        await connection.run_sync(_migrate, domain, metadata)
    await engine.dispose()


def _migrate(connection: Connection, domain: str, metadata: MetaData) -> None:
    # A migration must not queue behind a long query and block every later one.
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
