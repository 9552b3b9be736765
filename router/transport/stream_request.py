"""What opens the stream of a subscription at its subgraph, and opens it again after the last event seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from router.transport.request_body import RequestBody


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a stream's events carry their number, and the request that goes on after one of them."""

    field: str
    number: str
    variable: str
    resuming: RequestBody

    def position(self, event: Mapping[str, Any]) -> int | None:
        """The number of an event, if it has one: an event that failed has none."""
        data = event.get("data")
        answer = data.get(self.field) if isinstance(data, dict) else None
        number = answer.get(self.number) if isinstance(answer, dict) else None
        return number if isinstance(number, int) else None

    def after(self, variables: Mapping[str, Any], position: int) -> bytes:
        """The request for the events after a number."""
        return self.resuming.filled({**variables, self.variable: position})


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """What opens the stream of one subscription; with a cursor, it can be opened again without a gap."""

    subgraph: str
    variables: Mapping[str, Any]
    opening: RequestBody
    cursor: Cursor | None

    def body(self, position: int | None = None) -> bytes:
        """The request body, for all events or for those after a number."""
        if self.cursor is None or position is None:
            return self.opening.filled(self.variables)
        return self.cursor.after(self.variables, position)
