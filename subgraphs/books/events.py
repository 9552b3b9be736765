"""The events of the books domain."""

from __future__ import annotations

from dataclasses import dataclass

from subgraphs.common.messages import Event


@dataclass(frozen=True, slots=True)
class ChildDeleted(Event):
    """A child and its books have been deleted."""

    child_id: str
    owner_id: str
