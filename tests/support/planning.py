"""Helpers to plan operations on the test supergraphs."""

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
def load_supergraph(name: str) -> Supergraph:
    """Loads a test supergraph by its name."""
    return Supergraph.parse((SUPERGRAPHS / f"{name}.graphql").read_text())


def load_operation(name: str, text: str) -> Operation:
    """Builds an operation on a test supergraph; it must be valid."""
    return build_operation_on(load_supergraph(name), text)


def build_operation_on(graph: Supergraph, text: str) -> Operation:
    """Builds an operation on a supergraph; it must be valid."""
    schema = graph.public_schema
    document = parse(text)
    assert validate(schema, document) == []
    [node] = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    return build_operation(schema, document, node)


def start_planning(name: str, text: str, labels: frozenset[str] = frozenset()) -> Planning:
    """Plans an operation on a test supergraph; its stages can be read from the result."""
    return Planner(load_supergraph(name), labels).start(load_operation(name, text))


def render_plan(name: str, text: str, labels: frozenset[str] = frozenset()) -> str:
    """Plans an operation on a test supergraph; returns the printed plan."""
    return str(start_planning(name, text, labels).plan)


def start_deferred_planning(name: str, text: str, *true_variables: str) -> Planning:
    """Plans an operation for incremental delivery; `true_variables` are those of `@defer(if:)`."""
    return Planner(load_supergraph(name)).start(load_operation(name, text), frozenset(true_variables))


def dedent_plan(text: str) -> str:
    """Removes the test's indentation from an expected plan."""
    return dedent(text).strip()
