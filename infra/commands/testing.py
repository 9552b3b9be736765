"""`memorable test`: run the tests, with coverage of the processes that they start."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from infra.checkout import ROOT, replace_process
from infra.console import print_status
from infra.errors import InfraError

NAME = "test"
LAST_FAILED = ROOT / ".pytest_cache" / "v" / "cache" / "lastfailed"
# A busy machine can make a few of several thousand tests time out; more failures are real.
MAX_RERUNS = 5
# Generated operations: measuring them would triple their time, and other tests cover the same code.
UNMEASURED = "tests/router/oracle"


def run_tests(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="PATH", help="Files or folders; all tests if omitted.")
    ] = None,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Measure branch coverage, of all but generated operations.")
    ] = False,
    parallel: Annotated[int, typer.Option("--parallel", "-n", min=1, help="Number of test processes.")] = 3,
    again: Annotated[
        bool, typer.Option("--again", help="Rerun the last failures by themselves, if there are few.")
    ] = False,
) -> None:
    """Run the tests against real servers."""
    if again:
        _rerun_failures()
    command = [sys.executable, "-m", "pytest", "-n", str(parallel), *(paths or [])]
    if coverage:
        command += ["--cov", "--cov-report=term", f"--ignore={UNMEASURED}"]
    replace_process(command)


def _rerun_failures() -> None:
    """Run the tests that failed in the parallel run once more, by themselves."""
    failed = json.loads(LAST_FAILED.read_text()) if LAST_FAILED.exists() else {}
    if not 0 < len(failed) <= MAX_RERUNS:
        raise InfraError(f"{len(failed)} tests failed; only 1 to {MAX_RERUNS} failures are rerun.")
    for name in failed:
        print_status(NAME, f"failed in parallel, rerunning by itself: {name}")
    replace_process([sys.executable, "-m", "pytest", *failed])
