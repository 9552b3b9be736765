"""`memorable db`: the platform's database."""

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
from infra.local.running import database_settings, find_running
from subgraphs.domains import DOMAINS

app = typer.Typer(help="The platform's database.", no_args_is_help=True)


@app.command()
def check() -> None:
    """Connect as every domain's role, and show each schema's revision."""
    from infra import database  # noqa: PLC0415 - it imports every domain's tables

    with database_settings(DATA_DIR) as settings:
        revisions = database.check(settings)
        table = Table("domain", "role", "revision")
        for domain, revision in revisions.items():
            table.add_row(domain, DOMAINS[domain].role, revision)
        console.print(table)
        if any(not revision[:1].isdigit() for revision in revisions.values()):
            raise InfraError("The database is not ready. Run: memorable db migrate")


@app.command()
def migrate() -> None:
    """Create what is missing and bring every schema to its newest revision."""
    from infra import database  # noqa: PLC0415 - it imports every domain's tables

    with database_settings(DATA_DIR) as settings:
        database.migrate(settings)
    console.print("The database is up to date.")


@app.command()
def revise(
    domain: Annotated[str, typer.Argument(help="Whose tables changed.")],
    message: Annotated[str, typer.Argument(help="What changes, such as 'add a subtitle'.")],
) -> None:
    """Write a domain's next migration from the difference between its tables in code and in the database."""
    from infra import database  # noqa: PLC0415 - it imports every domain's tables

    if domain not in DOMAINS:
        raise InfraError(f"There is no domain {domain!r}; there are {', '.join(DOMAINS)}.")
    with database_settings(DATA_DIR) as settings:
        written = database.revise(settings, domain, message)
    console.print(f"Read it and tidy it: {written.relative_to(ROOT)}")


@app.command()
def reset(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete every account, book and order of this checkout's platform, and begin anew."""
    from infra import database  # noqa: PLC0415 - it imports every domain's tables

    if find_running(DATA_DIR) is not None:
        raise InfraError("The platform is running, and would lose its ground. Stop it first.")
    if not yes:
        typer.confirm("Delete every account, book, order and file of this platform?", abort=True)
    with database_settings(DATA_DIR) as settings:
        if settings["ENVIRONMENT"] == "production":
            raise InfraError("ENVIRONMENT is production: its data is not deleted by this command.")
        database.reset(settings)
        _forget_jobs(settings)
    files = DataFolder(DATA_DIR).files
    shutil.rmtree(files, ignore_errors=True)
    console.print("The database is empty and up to date.")


def _forget_jobs(settings: Mapping[str, str]) -> None:
    """Empty the queue and the streams too: they speak of rows that are gone."""
    with redis.Redis(
        host=settings["REDIS_HOST"],
        port=int(settings["REDIS_PORT"]),
        password=settings.get("REDIS_PASSWORD"),
        db=int(settings["REDIS_DB"]),
    ) as connection:
        connection.flushdb()
