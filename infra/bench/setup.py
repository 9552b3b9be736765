"""The duration of `make setup` in a fresh clone."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from infra.checkout import ROOT
from infra.errors import InfraError


def time_setup(folder: Path) -> float:
    """Clone HEAD into `folder` and set it up with an empty cache; return how many seconds the set-up took."""
    home = folder / "home"
    home.mkdir()
    clone = folder / "clone"
    _run(["git", "clone", "--quiet", str(ROOT), str(clone)], folder)
    started = time.perf_counter()
    _run(["make", "--silent", "setup"], clone, HOME=str(home), UV_CACHE_DIR=str(home / "uv"))
    return time.perf_counter() - started


def _run(command: list[str], folder: Path, **environ: str) -> None:
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environ, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise InfraError(f"{' '.join(command)} failed:\n{done.stderr.strip()}")
