"""Planning in tests: a supergraph by name, an operation, and what the planner makes of it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from textwrap import dedent

from graphql import OperationDefinitionNode, parse, validate

from router.operation import Operation, build_operation
from router.planner import Planner, Planning
from router.supergraph import Supergraph

SUPERGRAPHS = Path(__file__).parent / "supergraphs"


@cache
def supergraph(name: str) -> Supergraph:
    """One of the test supergraphs."""
    return Supergraph.parse((SUPERGRAPHS / f"{name}.graphql").read_text())


def operation(name: str, text: str) -> Operation:
    """A valid operation on a test supergraph."""
    return operation_on(supergraph(name), text)


def operation_on(graph: Supergraph, text: str) -> Operation:
    """A valid operation on a supergraph."""
    schema = graph.public_schema
    document = parse(text)
    assert validate(schema, document) == []
    [node] = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    return build_operation(schema, document, node)


def planning(name: str, text: str, labels: frozenset[str] = frozenset()) -> Planning:
    """The planning of an operation on a test supergraph."""
    return Planner(supergraph(name), labels).start(operation(name, text))


def planned(name: str, text: str, labels: frozenset[str] = frozenset()) -> str:
    """The plan of an operation, as it prints."""
    return str(planning(name, text, labels).plan)


def deferred_planning(name: str, text: str, *true: str) -> Planning:
    """The planning of an operation for a client that takes deferred fragments later."""
    return Planner(supergraph(name)).start(operation(name, text), frozenset(true))


def shown(text: str) -> str:
    """An expected plan, written with the indentation of the test."""
    return dedent(text).strip()
