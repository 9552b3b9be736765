"""The jobs of the ai domain."""

from __future__ import annotations

from dataclasses import dataclass

from subgraphs.common.messages import Job


@dataclass(frozen=True, slots=True)
class GenerateBook(Job):
    """Run the steps of a generation that are not finished."""

    generation_id: str


@dataclass(frozen=True, slots=True)
class DeleteGenerationsOfChild(Job):
    """Delete everything that was generated for a child who has been deleted."""

    child_id: str


@dataclass(frozen=True, slots=True)
class DeletePictures(Job):
    """Delete pictures from the store; their rows are deleted, so the job holds the keys."""

    keys: tuple[str, ...]
