"""`memorable schema`: export, compose and check the files of `schema/`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.syntax import Syntax
from rich.text import Text

from infra.checkout import ROOT
from infra.console import console
from infra.errors import InfraError
from infra.schema import files
from infra.schema.changes import Change, Severity, compare_schemas
from infra.schema.composition import compose as compose_schemas
from infra.schema.composition import extract_public_schema
from infra.schema.config import load_config

app = typer.Typer(help="Export, compose and check the GraphQL schemas.", no_args_is_help=True)

SEVERITY_STYLES = {Severity.BREAKING: "bold red", Severity.DANGEROUS: "yellow", Severity.SAFE: "green"}


@app.command()
def export() -> None:
    """Write each subgraph's schema file from its code."""
    subgraphs = load_config(files.CONFIG)
    schemas = files.export(subgraphs)
    for subgraph in subgraphs:
        subgraph.file.parent.mkdir(exist_ok=True)
        subgraph.file.write_text(schemas[subgraph.name])
        console.print(f"Wrote {subgraph.file.relative_to(ROOT)}")


@app.command()
def compose() -> None:
    """Compose the subgraphs' schema files and write the supergraph."""
    subgraphs = load_config(files.CONFIG)
    composed = compose_schemas(subgraphs, files.read(subgraphs))
    files.SUPERGRAPH.write_text(composed.supergraph)
    console.print(f"Wrote {files.SUPERGRAPH.relative_to(ROOT)}")


@app.command()
def check(
    base: Annotated[
        str | None,
        typer.Option(help="Compare the public API with this git reference, and fail on a breaking change."),
    ] = None,
) -> None:
    """Check that the files match the code, and list changes of the public API."""
    expected, composed = files.generate(load_config(files.CONFIG))
    drifted = files.find_drift(expected)
    for file in drifted:
        console.print(Syntax(file.difference, "diff", background_color="default"))
    changes: Sequence[Change] = ()
    if base is not None:
        changes = compare_schemas(extract_public_schema(files.read_supergraph_at(base)), composed.public)
    elif drifted and files.SUPERGRAPH.exists():
        changes = compare_schemas(extract_public_schema(files.SUPERGRAPH.read_text()), composed.public)
    for change in changes:
        console.print(
            Text.assemble((f"{change.severity:<10}", SEVERITY_STYLES[change.severity]), change.description)
        )
    if drifted:
        names = ", ".join(str(file.file.relative_to(ROOT)) for file in drifted)
        raise InfraError(
            f"Out of date: {names}. If the change above is intended, run "
            "`memorable schema export && memorable schema compose` and commit the files."
        )
    breaking = sum(change.severity is Severity.BREAKING for change in changes)
    if breaking:
        raise InfraError(f"{breaking} breaking change(s) of the public API since {base}.")
    console.print(f"All {len(expected)} schema files are up to date.")
