"""The generated files of `schema/`: written from the code, and compared with it."""

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
LONGEST_DIFFERENCE = 60
SUPERGRAPH = ROOT / "schema" / "supergraph.graphql"


@dataclass(frozen=True, slots=True)
class Drift:
    """A generated file that no longer is what the code says."""

    file: Path
    difference: str


def export(subgraphs: Sequence[Subgraph]) -> dict[str, str]:
    """The schema of each subgraph, by name, from its code."""
    return {part.name: _schema_of(part.name) for part in subgraphs}


def read(subgraphs: Sequence[Subgraph]) -> dict[str, str]:
    """The schema of each subgraph, by name, from its file."""
    missing = [str(part.file) for part in subgraphs if not part.file.exists()]
    if missing:
        raise InfraError(f"There is no {', '.join(missing)}. Run: memorable schema export")
    return {part.name: part.file.read_text() for part in subgraphs}


def generate(subgraphs: Sequence[Subgraph]) -> tuple[dict[Path, str], Composed]:
    """Every generated file with the content it should have, and the composition itself."""
    schemas = export(subgraphs)
    composed = compose(subgraphs, schemas)
    files = {part.file: schemas[part.name] for part in subgraphs}
    return files | {SUPERGRAPH: composed.supergraph}, composed


def drift(files: Mapping[Path, str]) -> list[Drift]:
    """The files whose content on disk is another."""
    return [
        Drift(file, _difference(file, content))
        for file, content in files.items()
        if not file.exists() or file.read_text() != content
    ]


def supergraph_at(reference: str) -> str:
    """The supergraph as it was committed at a git reference."""
    path = SUPERGRAPH.relative_to(ROOT).as_posix()
    shown = subprocess.run(
        ["git", "show", f"{reference}:{path}"],  # noqa: S607 - git is where the developer's PATH says
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if shown.returncode != 0:
        raise InfraError(f"git has no {path} at {reference}: {shown.stderr.strip()}")
    return shown.stdout


def _schema_of(name: str) -> str:
    try:
        schema = import_module(f"subgraphs.{name}.schema").schema
    except ImportError as error:
        raise InfraError(f"subgraphs.{name}.schema cannot be imported: {error}") from error
    return f"{schema.as_str().strip()}\n"


def _difference(file: Path, content: str) -> str:
    before = file.read_text().splitlines() if file.exists() else []
    name = str(file.relative_to(ROOT)) if file.is_relative_to(ROOT) else str(file)
    lines = difflib.unified_diff(
        before, content.splitlines(), f"{name} (checked in)", f"{name} (code)", lineterm=""
    )
    shown = list(islice(lines, LONGEST_DIFFERENCE))
    return "\n".join([*shown, "…"] if len(shown) == LONGEST_DIFFERENCE else shown)
