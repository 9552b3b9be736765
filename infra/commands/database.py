"""`memorable db`: check, migrate and reset the platform's database."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import Annotated

import redis
import typer
from rich.table import Table

from infra.checkout import DATA_DIR, ROOT
from infra.console import console
from infra.errors import InfraError
from infra.local.folder import DataFolder
from infra.local.state import find_platform_state, open_database_settings
from subgraphs.domains import DOMAINS

app = typer.Typer(help="Check, migrate and reset the database.", no_args_is_help=True)


@app.command()
def check() -> None:
    """Connect as each domain's role and show its schema's revision."""
    from infra import database  # noqa: PLC0415 - it imports every domain's tables

    with open_database_settings(DATA_DIR) as settings:
        revisions = database.check(settings)
        table = Table("domain", "role", "revision")
        for domain, revision in revisions.items():
            table.add_row(domain, DOMAINS[domain].role, revision)
        console.print(table)
        if any(not revision[:1].isdigit() for revision in revisions.values()):
            raise InfraError("The database is not ready. Run: memorable db migrate")


@app.command()
def migrate() -> None:
    """Create missing roles and schemas, and upgrade every schema to its latest revision."""
    from infra import database  # noqa: PLC0415 - it imports every domain's tables

    with open_database_settings(DATA_DIR) as settings:
        database.migrate(settings)
    console.print("The database is up to date.")


@app.command()
def revise(
    domain: Annotated[str, typer.Argument(metavar="DOMAIN", help="The domain whose tables changed.")],
    message: Annotated[
        str, typer.Argument(metavar="MESSAGE", help="What changes, for example 'add a subtitle'.")
    ],
) -> None:
    """Generate a domain's next migration by comparing its models with the database."""
    from infra import database  # noqa: PLC0415 - it imports every domain's tables

    if domain not in DOMAINS:
        raise InfraError(f"Unknown domain {domain!r}; choose one of {', '.join(DOMAINS)}.")
    with open_database_settings(DATA_DIR) as settings:
        written = database.revise(settings, domain, message)
    console.print(f"Wrote {written.relative_to(ROOT)}; review it before you commit.")


@app.command()
def reset(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Delete all data of this checkout's platform and create an empty database."""
    from infra import database  # noqa: PLC0415 - it imports every domain's tables

    if find_platform_state(DATA_DIR) is not None:
        raise InfraError("The platform is running. Stop it first.")
    if not yes:
        typer.confirm("Delete every account, book, order and file of this platform?", abort=True)
    with open_database_settings(DATA_DIR) as settings:
        if settings["ENVIRONMENT"] == "production":
            raise InfraError("ENVIRONMENT is production; this command does not delete production data.")
        database.reset(settings)
        _flush_redis(settings)
    files = DataFolder(DATA_DIR).files
    shutil.rmtree(files, ignore_errors=True)
    console.print("The database is empty and up to date.")


def _flush_redis(settings: Mapping[str, str]) -> None:
    """Delete the job queue and the live streams, which refer to deleted rows."""
    with redis.Redis(
        host=settings["REDIS_HOST"],
        port=int(settings["REDIS_PORT"]),
        password=settings.get("REDIS_PASSWORD"),
        db=int(settings["REDIS_DB"]),
    ) as connection:
        connection.flushdb()
