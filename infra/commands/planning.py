"""`memorable plan`: how the router would answer an operation."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from infra.errors import InfraError
from infra.schema.files import SUPERGRAPH


def plan(
    operation: Annotated[str, typer.Argument(help="A file with the operation, or - for standard input.")],
    supergraph: Annotated[Path, typer.Option(help="The supergraph to plan on.")] = SUPERGRAPH,
) -> None:
    """Print the query plan of an operation."""
    from router.planner import plan as plan_operation  # noqa: PLC0415 - not needed by the other commands

    text = sys.stdin.read() if operation == "-" else _read(Path(operation))
    typer.echo(str(plan_operation(_read(supergraph), text)))


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise InfraError(f"{path} cannot be read: {error.strerror}") from None
