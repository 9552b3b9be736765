"""The generated files of `schema/`, which are written from the code and compared with it."""

from __future__ import annotations

import difflib
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from pathlib import Path

from infra.checkout import ROOT
from infra.errors import InfraError
from infra.schema.composition import Composed, compose
from infra.schema.config import Subgraph

CONFIG = ROOT / "supergraph.yaml"
MAX_DIFF_LINES = 60
SUPERGRAPH = ROOT / "schema" / "supergraph.graphql"


@dataclass(frozen=True, slots=True)
class Drift:
    """A generated file that no longer matches the code."""

    file: Path
    difference: str


def export(subgraphs: Sequence[Subgraph]) -> dict[str, str]:
    """Export each subgraph's schema, by name, from its code."""
    return {subgraph.name: _export_schema(subgraph.name) for subgraph in subgraphs}


def read(subgraphs: Sequence[Subgraph]) -> dict[str, str]:
    """Read each subgraph's schema, by name, from its file."""
    missing = [str(subgraph.file) for subgraph in subgraphs if not subgraph.file.exists()]
    if missing:
        raise InfraError(f"Missing {', '.join(missing)}. Run: memorable schema export")
    return {subgraph.name: subgraph.file.read_text() for subgraph in subgraphs}


def generate(subgraphs: Sequence[Subgraph]) -> tuple[dict[Path, str], Composed]:
    """Generate the content of every file, and the composition."""
    schemas = export(subgraphs)
    composed = compose(subgraphs, schemas)
    files = {subgraph.file: schemas[subgraph.name] for subgraph in subgraphs}
    return files | {SUPERGRAPH: composed.supergraph}, composed


def find_drift(files: Mapping[Path, str]) -> list[Drift]:
    """Find the files whose content on disk differs."""
    return [
        Drift(file, _format_difference(file, content))
        for file, content in files.items()
        if not file.exists() or file.read_text() != content
    ]


def read_supergraph_at(reference: str) -> str:
    """Read the supergraph as committed at a git reference."""
    path = SUPERGRAPH.relative_to(ROOT).as_posix()
    result = subprocess.run(
        ["git", "show", f"{reference}:{path}"],  # noqa: S607 - the developer's own git
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise InfraError(f"git has no {path} at {reference}: {result.stderr.strip()}")
    return result.stdout


def _export_schema(name: str) -> str:
    try:
        schema = import_module(f"subgraphs.{name}.schema").schema
    except ImportError as error:
        raise InfraError(f"subgraphs.{name}.schema cannot be imported: {error}") from error
    return f"{schema.as_str().strip()}\n"


def _format_difference(file: Path, content: str) -> str:
    before = file.read_text().splitlines() if file.exists() else []
    name = str(file.relative_to(ROOT)) if file.is_relative_to(ROOT) else str(file)
    lines = difflib.unified_diff(
        before, content.splitlines(), f"{name} (checked in)", f"{name} (code)", lineterm=""
    )
    shown = list(islice(lines, MAX_DIFF_LINES))
    return "\n".join([*shown, "…"] if len(shown) == MAX_DIFF_LINES else shown)
