"""The job of every domain that deletes what was handled long ago."""

from __future__ import annotations

from dataclasses import dataclass

from subgraphs.common.messages import Job


@dataclass(frozen=True, slots=True)
class PruneMessages(Job):
    """Delete the messages of a domain that were handled long ago."""

    domain: str
