"""`memorable test --again`: tests that failed in parallel are rerun by themselves."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from infra.checkout import ROOT
from infra.commands.testing import MAX_RERUNS

AGAIN = """
import sys
from pathlib import Path
from infra.commands import testing
testing.LAST_FAILED = Path(sys.argv[1])
testing.run_tests(again=True)
"""
PASSES = "tests/infra/test_testing.py::test_nothing"


def test_nothing():
    """A test to rerun; it passes."""


def run_again(folder: Path, failed: list[str] | None) -> subprocess.CompletedProcess[str]:
    last_failed = folder / "lastfailed"
    if failed is not None:
        last_failed.write_text(json.dumps(dict.fromkeys(failed, True)))
    command = [sys.executable, "-c", AGAIN, str(last_failed)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def test_a_failure_that_passes_by_itself_is_named(tmp_path: Path):
    done = run_again(tmp_path, [PASSES])

    assert done.returncode == 0
    assert f"failed in parallel, rerunning by itself: {PASSES}" in done.stdout
    assert "1 passed" in done.stdout


@pytest.mark.parametrize("failed", [None, [], [f"{PASSES}{number}" for number in range(MAX_RERUNS + 1)]])
def test_nothing_is_rerun_without_failures_or_with_too_many(tmp_path: Path, failed: list[str] | None):
    done = run_again(tmp_path, failed)

    assert done.returncode != 0
    assert f"{len(failed or ())} tests failed" in done.stderr
    assert "passed" not in done.stdout


def test_a_test_that_fails_again_fails_the_command(tmp_path: Path):
    assert run_again(tmp_path, [f"{PASSES}_of_the_kind"]).returncode != 0
