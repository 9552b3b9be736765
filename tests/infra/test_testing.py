"""`memorable test --again`: what failed beside other tests runs once more, by itself."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from infra.checkout import ROOT

AGAIN = """
import sys
from pathlib import Path
from infra.commands import testing
testing.LAST_FAILED = Path(sys.argv[1])
testing.run_tests(again=True)
"""
PASSES = "tests/infra/test_testing.py::test_nothing"


def test_nothing():
    """Passes, as do tests that others have spoilt."""


def run_again(folder: Path, failed: list[str] | None) -> subprocess.CompletedProcess[str]:
    noted = folder / "lastfailed"
    if failed is not None:
        noted.write_text(json.dumps(dict.fromkeys(failed, True)))
    command = [sys.executable, "-c", AGAIN, str(noted)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def test_what_passes_by_itself_is_named_and_has_not_failed(tmp_path: Path):
    done = run_again(tmp_path, [PASSES])

    assert done.returncode == 0
    assert f"failed beside the others, and is run again by itself: {PASSES}" in done.stdout
    assert "1 passed" in done.stdout


@pytest.mark.parametrize("failed", [None, [], [f"{PASSES}{number}" for number in range(4)]])
def test_nothing_is_run_again_where_nothing_has_failed_or_too_much(tmp_path: Path, failed: list[str] | None):
    done = run_again(tmp_path, failed)

    assert done.returncode != 0
    assert f"{len(failed or ())} tests have failed" in done.stderr
    assert "passed" not in done.stdout


def test_what_fails_again_has_failed(tmp_path: Path):
    assert run_again(tmp_path, [f"{PASSES}_of_the_kind"]).returncode != 0
