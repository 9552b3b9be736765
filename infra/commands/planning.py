"""`memorable plan`: how the router would answer an operation, stage by stage."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from graphql import GraphQLError, OperationDefinitionNode, parse, validate

from infra.errors import InfraError
from infra.schema.files import SUPERGRAPH
from router.operation import Operation, operation_of
from router.operation.deferral import find_defer_variables
from router.planner import Planner, UnplannableError
from router.supergraph import Supergraph


class Stage(StrEnum):
    """What the planner makes on its way, in order."""

    NORMALIZED = "normalized"
    GRAPH = "graph"
    PATHS = "paths"
    CHOSEN = "chosen"
    FETCHES = "fetches"
    PLAN = "plan"


def plan(
    operation: Annotated[str, typer.Argument(help="A file with the operation, or - for standard input.")],
    stage: Annotated[
        Stage, typer.Option(help="Print what an earlier stage of the planner made.")
    ] = Stage.PLAN,
    name: Annotated[
        str | None, typer.Option(help="Which operation of the file, where it has several.")
    ] = None,
    supergraph: Annotated[Path, typer.Option(help="The supergraph to plan on.")] = SUPERGRAPH,
) -> None:
    """Print the query plan of an operation, for a client that takes what it defers later."""
    text = sys.stdin.read() if operation == "-" else _read(Path(operation))
    graph = Supergraph.parse(_read(supergraph))
    try:
        asked = _operation(graph, text, name)
        made = getattr(Planner(graph).start(asked, find_defer_variables(asked)), stage)
    except UnplannableError as error:
        raise InfraError(f"The operation cannot be planned: {error}") from None
    typer.echo("\n\n".join(map(str, _flat(made))))


def _operation(graph: Supergraph, text: str, name: str | None) -> Operation:
    """The operation, parsed and validated as the router does it."""
    try:
        document = parse(text)
    except GraphQLError as error:
        raise InfraError(str(error)) from None
    problems = validate(graph.public_schema, document)
    if problems:
        raise InfraError("\n".join(problem.message for problem in problems))
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    chosen = [node for node in operations if name is None or (node.name and node.name.value == name)]
    if len(chosen) != 1:
        raise InfraError(f"Name one of the file's {len(operations)} operations by --name.")
    return operation_of(graph.public_schema, document, chosen[0])


def _flat(made: object) -> list[object]:
    return [part for each in made for part in _flat(each)] if isinstance(made, tuple) else [made]


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise InfraError(f"{path} cannot be read: {error.strerror}") from None
