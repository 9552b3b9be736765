"""The jobs of the books domain."""

from __future__ import annotations

from dataclasses import dataclass

from subgraphs.common.messages import Job


@dataclass(frozen=True, slots=True)
class TypesetSnapshot(Job):
    """Typeset an approved book."""

    snapshot_id: str


@dataclass(frozen=True, slots=True)
class DeleteFiles(Job):
    """Delete files from the store; their rows are deleted, so the job holds the keys."""

    keys: tuple[str, ...]
