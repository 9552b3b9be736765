"""`memorable plan`: print an operation's query plan, or an earlier stage of planning."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from graphql import GraphQLError, OperationDefinitionNode, Source, parse, validate

from infra.errors import InfraError
from infra.schema.files import SUPERGRAPH
from router.operation import Operation, build_operation
from router.operation.deferral import find_defer_variables
from router.planner import Planner, UnplannableError
from router.supergraph import Supergraph


class Stage(StrEnum):
    """The planner's stages, in order."""

    NORMALIZED = "normalized"
    GRAPH = "graph"
    PATHS = "paths"
    CHOSEN = "chosen"
    FETCHES = "fetches"
    PLAN = "plan"


def plan(
    operation: Annotated[
        str,
        typer.Argument(
            metavar="OPERATION", help="A file that contains the operation, or - for standard input."
        ),
    ],
    stage: Annotated[
        Stage, typer.Option(metavar="STAGE", help=f"Print the result of a stage: {', '.join(Stage)}.")
    ] = Stage.PLAN,
    name: Annotated[str | None, typer.Option(help="The operation to plan, if the file has several.")] = None,
    supergraph: Annotated[
        Path,
        typer.Option(
            show_default=False, help="The supergraph to plan on; by default schema/supergraph.graphql."
        ),
    ] = SUPERGRAPH,
) -> None:
    """Print the query plan of an operation, for a client that accepts @defer."""
    source = (
        Source(sys.stdin.read(), "standard input")
        if operation == "-"
        else Source(_read(Path(operation)), operation)
    )
    graph = Supergraph.parse(_read(supergraph))
    try:
        selected = _select_operation(graph, source, name)
        artifact = getattr(Planner(graph).start(selected, find_defer_variables(selected)), stage)
    except UnplannableError as error:
        raise InfraError(f"The operation cannot be planned: {error}") from None
    typer.echo("\n\n".join(map(str, _flatten(artifact))))


def _select_operation(graph: Supergraph, source: Source, name: str | None) -> Operation:
    """Parse and validate the operation, as the router does.

    Raises:
        InfraError: It is not valid; the message shows the places in the document.
    """
    try:
        document = parse(source)
    except GraphQLError as error:
        raise InfraError(str(error)) from None
    problems = validate(graph.public_schema, document)
    if problems:
        raise InfraError("\n\n".join(map(str, problems)))
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    chosen = [node for node in operations if name is None or (node.name and node.name.value == name)]
    if len(chosen) != 1:
        raise InfraError(f"Choose one of the file's {len(operations)} operations with --name.")
    return build_operation(graph.public_schema, document, chosen[0])


def _flatten(artifact: object) -> list[object]:
    return (
        [part for each in artifact for part in _flatten(each)] if isinstance(artifact, tuple) else [artifact]
    )


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise InfraError(f"Cannot read {path}: {error.strerror}") from None
