"""The command line of the platform."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from infra.commands import (
    bench,
    bench_router,
    database,
    demo,
    fuzz,
    health,
    logs,
    planning,
    run,
    schema,
    testing,
)
from infra.console import complain
from infra.errors import InfraError


class PlainFailures(TyperGroup):
    """A failure that a person can act on is one clear message and exit code 1, never a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (InfraError, PermissionError) as error:
            complain(str(error))
            raise typer.Exit(1) from None


app = typer.Typer(
    name="memorable",
    help="Run, check and look into Memorable on this machine.",
    cls=PlainFailures,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(run.run)
app.command()(demo.demo)
app.command()(run.dev)
app.command("explorer")(run.build_explorer)
app.command()(health.health)
app.command()(logs.logs)
app.command()(planning.plan)
app.command()(bench.bench)
app.command()(bench_router.bench_router)
app.command("test")(testing.run_tests)
app.command()(fuzz.fuzz)
app.add_typer(schema.app, name="schema")
app.add_typer(database.app, name="db")
