"""Composition of subgraph schemas into a supergraph, by The Guild's composer, run by Node."""

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
GENERATED = (
    "# Composed from the subgraphs named in supergraph.yaml by `memorable schema compose`. Do not edit.\n"
)


@dataclass(frozen=True, slots=True)
class Composed:
    """A supergraph: what the router reads, and what its clients see of it."""

    supergraph: str
    public: str


class CompositionError(InfraError):
    """The subgraphs do not fit together; `problems` are the composer's statements."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = problems
        super().__init__(
            "The subgraphs do not compose:\n" + "\n".join(f"  - {problem}" for problem in problems)
        )


def compose(subgraphs: Sequence[Subgraph], schemas: Mapping[str, str]) -> Composed:
    """Compose the subgraphs' schemas, which are given by subgraph name.

    Raises:
        CompositionError: They do not fit together.
    """
    [composed] = compose_each([(subgraphs, schemas)])
    if isinstance(composed, CompositionError):
        raise composed
    return composed


def compose_each(
    graphs: Iterable[tuple[Sequence[Subgraph], Mapping[str, str]]],
) -> list[Composed | CompositionError]:
    """Compose several graphs in one run of Node; one that does not fit together stands for itself."""
    question = [
        [{"name": part.name, "url": part.routing_url, "schema": schemas[part.name]} for part in subgraphs]
        for subgraphs, schemas in graphs
    ]
    return [_composed(answer) for answer in _ask(question)] if question else []


def public_schema(supergraph: str) -> str:
    """What clients see of a supergraph composed earlier."""
    return str(_ask(supergraph)["public"])


def _composed(answer: Mapping[str, Any]) -> Composed | CompositionError:
    if "errors" in answer:
        return CompositionError(answer["errors"])
    return Composed(GENERATED + answer["supergraph"].strip() + "\n", answer["public"])


def _ask(question: object) -> Any:
    ensure_packages(COMPOSER)
    return json.loads(run_node(["compose.mjs"], COMPOSER, stdin=json.dumps(question)))
