"""The explorer's build: GraphiQL bundled by Vite, rebuilt when its sources change."""

from __future__ import annotations

from infra.checkout import ROOT
from infra.node import ensure_packages, fingerprint, run_npm

SOURCE = ROOT / "router" / "server" / "explorer"
STAMP = SOURCE / "node_modules" / ".built"


def is_built() -> bool:
    """Whether the build is up to date with the sources."""
    return (
        (SOURCE / "dist" / "index.html").exists()
        and STAMP.exists()
        and STAMP.read_text() == _source_fingerprint()
    )


def ensure_built() -> None:
    """Build the explorer unless the build is up to date."""
    if not is_built():
        ensure_packages(SOURCE)
        run_npm(["run", "build"], SOURCE)
        STAMP.write_text(_source_fingerprint())


def _source_fingerprint() -> str:
    files = (file for file in SOURCE.iterdir() if file.is_file())
    return fingerprint([*files, *(file for file in (SOURCE / "src").rglob("*") if file.is_file())])
