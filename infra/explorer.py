"""The explorer, which is GraphiQL bundled by Vite: building it, and checking the types of its sources."""

from __future__ import annotations

from infra.checkout import ROOT
from infra.node import compute_fingerprint, ensure_packages, run_npm

SOURCE = ROOT / "router" / "server" / "explorer"
STAMP = SOURCE / "node_modules" / ".built"


def is_built() -> bool:
    """Whether the build is up to date with the sources."""
    return (
        (SOURCE / "dist" / "index.html").exists()
        and STAMP.exists()
        and STAMP.read_text() == _compute_source_fingerprint()
    )


def ensure_built() -> None:
    """Build the explorer unless the build is up to date."""
    if not is_built():
        ensure_packages(SOURCE)
        run_npm(["run", "build"], SOURCE)
        STAMP.write_text(_compute_source_fingerprint())


def check_types() -> None:
    """Check the types of the sources.

    Raises:
        InfraError: A type is wrong; the message has the compiler's output.
    """
    ensure_packages(SOURCE)
    run_npm(["run", "check"], SOURCE)


def _compute_source_fingerprint() -> str:
    files = (file for file in SOURCE.iterdir() if file.is_file())
    return compute_fingerprint([*files, *(file for file in (SOURCE / "src").rglob("*") if file.is_file())])
