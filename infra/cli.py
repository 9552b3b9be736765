"""The `memorable` command line."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from infra.commands import (
    audit,
    bench,
    bench_router,
    bench_streams,
    config,
    database,
    demo,
    fake,
    fuzz,
    health,
    jobs,
    logs,
    planning,
    run,
    schema,
    staff,
    testing,
    webhooks,
)
from infra.console import print_error
from infra.errors import InfraError


class ErrorReportingGroup(TyperGroup):
    """Reports an expected error as one message and exit code 1, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (InfraError, PermissionError) as error:
            print_error(str(error))
            raise typer.Exit(1) from None


app = typer.Typer(
    name="memorable",
    help="Run, test and inspect Memorable on this machine.",
    cls=ErrorReportingGroup,
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
app.command()(bench_streams.bench_streams)
app.command("test")(testing.run_tests)
app.command()(fuzz.fuzz)
app.command()(fake.fake)
app.add_typer(schema.app, name="schema")
app.add_typer(database.app, name="db")
app.add_typer(jobs.app, name="jobs")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(staff.app, name="staff")
app.add_typer(audit.app, name="audit")
app.add_typer(config.app, name="config")
