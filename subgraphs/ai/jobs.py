"""The jobs of the ai domain."""

from __future__ import annotations

from dataclasses import dataclass

from subgraphs.common.messages import Job


@dataclass(frozen=True, slots=True)
class GenerateBook(Job):
    """Run a generation to its end, from wherever it stands."""

    generation_id: str
