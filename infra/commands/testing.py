"""`memorable test`: the tests, with the coverage of every process they start."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from infra.checkout import become


def run_tests(
    what: Annotated[list[str] | None, typer.Argument(help="Files or folders; everything when none.")] = None,
    coverage: Annotated[bool, typer.Option("--coverage", help="Measure and report branch coverage.")] = False,
    parallel: Annotated[int, typer.Option("--parallel", "-n", min=1, help="Test processes.")] = 3,
) -> None:
    """Run the tests against real servers."""
    command = [sys.executable, "-m", "pytest", "-n", str(parallel), *(what or [])]
    if coverage:
        command += ["--cov", "--cov-report=term"]
    become(command)
