"""The jobs of the ai domain."""

from __future__ import annotations

from dataclasses import dataclass

from subgraphs.common.messages import Job


@dataclass(frozen=True, slots=True)
class GenerateBook(Job):
    """Run the steps of a generation that are not finished."""

    generation_id: str
