"""`memorable schema`: the generated files of `schema/`."""

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
from infra.schema.changes import Change, Severity, changes_between
from infra.schema.composition import compose as compose_schemas
from infra.schema.composition import public_schema
from infra.schema.config import load_config

app = typer.Typer(help="The subgraphs' schemas and the supergraph.", no_args_is_help=True)

COLOURS = {Severity.BREAKING: "bold red", Severity.DANGEROUS: "yellow", Severity.SAFE: "green"}


@app.command()
def export() -> None:
    """Write each subgraph's schema from its code."""
    subgraphs = load_config(files.CONFIG)
    schemas = files.export(subgraphs)
    for part in subgraphs:
        part.file.parent.mkdir(exist_ok=True)
        part.file.write_text(schemas[part.name])
        console.print(f"wrote {part.file.relative_to(ROOT)}")


@app.command()
def compose() -> None:
    """Write the supergraph from the subgraphs' schema files."""
    subgraphs = load_config(files.CONFIG)
    composed = compose_schemas(subgraphs, files.read(subgraphs))
    files.SUPERGRAPH.write_text(composed.supergraph)
    console.print(f"wrote {files.SUPERGRAPH.relative_to(ROOT)}")


@app.command()
def check(
    base: Annotated[
        str | None,
        typer.Option(help="Compare the public API with this git reference; a breaking change fails."),
    ] = None,
) -> None:
    """Compare the checked-in files with the code, and name what changed in the public API."""
    wanted, composed = files.generate(load_config(files.CONFIG))
    drifted = files.drift(wanted)
    for file in drifted:
        console.print(Syntax(file.difference, "diff", background_color="default"))
    changes: Sequence[Change] = ()
    if base is not None:
        changes = changes_between(public_schema(files.supergraph_at(base)), composed.public)
    elif drifted and files.SUPERGRAPH.exists():
        changes = changes_between(public_schema(files.SUPERGRAPH.read_text()), composed.public)
    for change in changes:
        console.print(Text.assemble((f"{change.severity:<10}", COLOURS[change.severity]), change.description))
    if drifted:
        names = ", ".join(str(file.file.relative_to(ROOT)) for file in drifted)
        raise InfraError(
            f"The code says otherwise than {names}. Run: memorable schema export && memorable schema compose"
        )
    breaking = sum(change.severity is Severity.BREAKING for change in changes)
    if breaking:
        raise InfraError(f"{breaking} breaking change(s) of the public API since {base}.")
    console.print(f"{len(wanted)} schema files are what the code says.")
