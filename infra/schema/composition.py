"""Composition of subgraph schemas into a supergraph with The Guild's composer, which runs in Node."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.errors import InfraError
from infra.node import ensure_packages, run_node
from infra.schema.config import Subgraph

COMPOSER = Path(__file__).parent.parent / "composition"
GENERATED_HEADER = (
    "# Composed from the subgraphs named in supergraph.yaml by `memorable schema compose`. Do not edit.\n"
)


@dataclass(frozen=True, slots=True)
class Composed:
    """A composed supergraph and the public schema that its clients see."""

    supergraph: str
    public: str


class CompositionError(InfraError):
    """The subgraphs do not compose; `problems` are the composer's messages."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = problems
        super().__init__(
            "The subgraphs do not compose:\n" + "\n".join(f"  - {problem}" for problem in problems)
        )


def compose(subgraphs: Sequence[Subgraph], schemas: Mapping[str, str]) -> Composed:
    """Compose the subgraphs, whose schemas are given by subgraph name.

    Raises:
        CompositionError: The subgraphs do not compose.
    """
    [composed] = compose_each([(subgraphs, schemas)])
    if isinstance(composed, CompositionError):
        raise composed
    return composed


def compose_each(
    graphs: Iterable[tuple[Sequence[Subgraph], Mapping[str, str]]],
) -> list[Composed | CompositionError]:
    """Compose several graphs in one run of Node; a graph that does not compose yields its error."""
    request = [
        [
            {"name": subgraph.name, "url": subgraph.routing_url, "schema": schemas[subgraph.name]}
            for subgraph in subgraphs
        ]
        for subgraphs, schemas in graphs
    ]
    return [_parse_result(result) for result in _run_composer(request)] if request else []


def extract_public_schema(supergraph: str) -> str:
    """Extract the public schema from a supergraph SDL."""
    return str(_run_composer(supergraph)["public"])


def _parse_result(result: Mapping[str, Any]) -> Composed | CompositionError:
    if "errors" in result:
        return CompositionError(result["errors"])
    return Composed(GENERATED_HEADER + result["supergraph"].strip() + "\n", result["public"])


def _run_composer(request: object) -> Any:
    ensure_packages(COMPOSER)
    return json.loads(run_node(["compose.mjs"], COMPOSER, stdin=json.dumps(request)))
