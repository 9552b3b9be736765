"""The job of every domain that deletes messages after their retention."""

from __future__ import annotations

from dataclasses import dataclass

from subgraphs.common.messages import Job


@dataclass(frozen=True, slots=True)
class PruneMessages(Job):
    """Delete the finished messages of a domain that are older than the retention."""

    domain: str
