"""What the meter of an observed process tells of its event loop."""

import subprocess
import sys
from pathlib import Path

import pytest

from infra.checkout import ROOT
from tests.fuzz.meter import Meter

PROGRAM = """
import asyncio, gc, sys, time, uvloop

kept = [[n] for n in range(500_000)]

def hold(seconds):
    ends = time.thread_time() + seconds
    while time.thread_time() < ends:
        pass

async def main():
    await asyncio.sleep(0.05)
    hold(float(sys.argv[2]))
    gc.collect()
    await asyncio.sleep(0.05)

{"uvloop": uvloop, "asyncio": asyncio}[sys.argv[1]].run(main())
"""


def run(folder: Path, *arguments: str) -> Meter:
    page = folder / "page"
    meter = Meter(page)
    (folder / "program.py").write_text(PROGRAM)
    subprocess.run(
        [sys.executable, "-m", "tests.fuzz.observed", str(page), "program", *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        check=True,
    )
    return meter


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_the_longest_hold_is_told_with_its_place(tmp_path: Path, loop: str) -> None:
    meter = run(tmp_path, loop, "0.2")
    assert 0.2 <= meter.held < 0.3
    assert meter.starved >= 0.2
    assert "program.py" in meter.where
    assert "hold" in meter.where.splitlines()[0]


def test_what_collects_garbage_is_told_apart(tmp_path: Path) -> None:
    meter = run(tmp_path, "uvloop", "0")
    assert meter.collecting > 0.01 > meter.held


def test_a_cleared_page_begins_anew(tmp_path: Path) -> None:
    meter = run(tmp_path, "uvloop", "0.05")
    meter.clear()
    assert (meter.held, meter.starved, meter.where) == (0.0, 0.0, "")
