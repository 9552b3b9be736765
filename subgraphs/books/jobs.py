"""The jobs of the books domain."""

from __future__ import annotations

from dataclasses import dataclass

from subgraphs.common.messages import Job


@dataclass(frozen=True, slots=True)
class TypesetSnapshot(Job):
    """Make the print files of an approved book."""

    snapshot_id: str


@dataclass(frozen=True, slots=True)
class DeleteFiles(Job):
    """Remove files whose rows are gone already, which is why it carries the keys themselves."""

    keys: tuple[str, ...]
