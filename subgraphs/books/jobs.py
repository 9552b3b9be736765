"""The jobs of the books domain."""

from __future__ import annotations

from dataclasses import dataclass

from subgraphs.common.messages import Job


@dataclass(frozen=True, slots=True)
class MakeRendition(Job):
    """Make a rendition of an approved book; `kind` is a RenditionKind."""

    snapshot_id: str
    kind: str


@dataclass(frozen=True, slots=True)
class DeleteFiles(Job):
    """Delete files from the store; their rows are deleted, so the job holds the keys."""

    keys: tuple[str, ...]
