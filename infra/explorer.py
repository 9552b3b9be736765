"""The build of the explorer: GraphiQL and our page, bundled by Vite once for each state of them."""

from __future__ import annotations

from infra.checkout import ROOT
from infra.node import ensure_packages, fingerprint, run_npm

SOURCE = ROOT / "router" / "server" / "explorer"
STAMP = SOURCE / "node_modules" / ".built"


def is_built() -> bool:
    """Tell whether the built files belong to the sources as they are."""
    return (SOURCE / "dist" / "index.html").exists() and STAMP.exists() and STAMP.read_text() == _state()


def ensure_built() -> None:
    """Build the explorer unless it is built already."""
    if not is_built():
        ensure_packages(SOURCE)
        run_npm(["run", "build"], SOURCE)
        STAMP.write_text(_state())


def _state() -> str:
    files = (file for file in SOURCE.iterdir() if file.is_file())
    return fingerprint([*files, *(file for file in (SOURCE / "src").rglob("*") if file.is_file())])
