"""The set-up of a fresh clone, as `make demo` does it before the book is begun."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from infra.checkout import ROOT
from infra.errors import InfraError


def install(folder: Path) -> float:
    """Clone what is committed into `folder` and install it with an empty home folder; returns the seconds."""
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
