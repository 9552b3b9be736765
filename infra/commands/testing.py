"""`memorable test`: the tests, with the coverage of every process they start."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from infra.checkout import ROOT, become
from infra.console import say
from infra.errors import InfraError

NAME = "test"
LAST_FAILED = ROOT / ".pytest_cache" / "v" / "cache" / "lastfailed"
# A machine that others use as well spoils one or two of some thousand tests, not more.
MAX_AGAIN = 3


def run_tests(
    what: Annotated[list[str] | None, typer.Argument(help="Files or folders; everything when none.")] = None,
    coverage: Annotated[bool, typer.Option("--coverage", help="Measure and report branch coverage.")] = False,
    parallel: Annotated[int, typer.Option("--parallel", "-n", min=1, help="Test processes.")] = 3,
    again: Annotated[
        bool, typer.Option("--again", help="Only what has just failed, if that is little: by itself.")
    ] = False,
) -> None:
    """Run the tests against real servers."""
    if again:
        _run_again()
    command = [sys.executable, "-m", "pytest", "-n", str(parallel), *(what or [])]
    if coverage:
        command += ["--cov", "--cov-report=term"]
    become(command)


def _run_again() -> None:
    """Runs what failed beside other tests once more without them; what fails again has failed."""
    failed = json.loads(LAST_FAILED.read_text()) if LAST_FAILED.exists() else {}
    if not 0 < len(failed) <= MAX_AGAIN:
        raise InfraError(f"{len(failed)} tests have failed; up to {MAX_AGAIN} are run again.")
    for name in failed:
        say(NAME, f"failed beside the others, and is run again by itself: {name}")
    become([sys.executable, "-m", "pytest", *failed])
