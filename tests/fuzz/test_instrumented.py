"""The meter of an instrumented process."""

import subprocess
import sys
from pathlib import Path

import pytest

from infra.checkout import ROOT
from tests.fuzz.meter import Meter

PROGRAM = """
import asyncio, gc, sys, time, uvloop

kept = [[n] for n in range(500_000)]

def block(seconds):
    deadline = time.thread_time() + seconds
    while time.thread_time() < deadline:
        pass

async def main():
    await asyncio.sleep(0.05)
    block(float(sys.argv[2]))
    gc.collect()
    await asyncio.sleep(0.05)

{"uvloop": uvloop, "asyncio": asyncio}[sys.argv[1]].run(main())
"""


def run(folder: Path, *arguments: str) -> Meter:
    page = folder / "page"
    meter = Meter(page)
    (folder / "program.py").write_text(PROGRAM)
    subprocess.run(
        [sys.executable, "-m", "tests.fuzz.instrumented", str(page), "program", *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        check=True,
    )
    return meter


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_the_longest_block_is_recorded_with_its_stack(tmp_path: Path, loop: str) -> None:
    meter = run(tmp_path, loop, "0.2")
    assert 0.2 <= meter.blocked < 0.3
    assert meter.starved >= 0.2
    assert "program.py" in meter.stack
    assert "block" in meter.stack.splitlines()[0]


def test_garbage_collection_is_counted_separately(tmp_path: Path) -> None:
    meter = run(tmp_path, "uvloop", "0")
    assert meter.gc > 0.01 > meter.blocked


def test_a_cleared_meter_is_zero(tmp_path: Path) -> None:
    meter = run(tmp_path, "uvloop", "0.05")
    meter.clear()
    assert (meter.blocked, meter.starved, meter.stack) == (0.0, 0.0, "")
