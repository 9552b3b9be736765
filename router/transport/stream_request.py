"""The request that opens a subscription's stream at its subgraph, and resumes it after an event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from router.transport.request_body import RequestBody


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the events of a stream have their sequence numbers, and the request that resumes after one.

    `field` is the response name of the root field, `number` that of its sequence number, and `variable` the
    variable of the resuming request that takes the number.
    """

    field: str
    number: str
    variable: str
    resuming: RequestBody

    def read_position(self, event: Mapping[str, Any]) -> int | None:
        """The sequence number of an event; None if it failed."""
        data = event.get("data")
        value = data.get(self.field) if isinstance(data, dict) else None
        number = value.get(self.number) if isinstance(value, dict) else None
        return number if isinstance(number, int) else None

    def encode_after(self, variables: Mapping[str, Any], position: int) -> bytes:
        """The request body for the events after a sequence number."""
        return self.resuming.encode({**variables, self.variable: position})


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """The request of a subscription; with a cursor, its stream can be resumed without a gap."""

    subgraph: str
    variables: Mapping[str, Any]
    opening: RequestBody
    cursor: Cursor | None

    def encode(self, position: int | None = None) -> bytes:
        """The request body, for all events or for those after a sequence number."""
        if self.cursor is None or position is None:
            return self.opening.encode(self.variables)
        return self.cursor.encode_after(self.variables, position)

    def read_position(self, event: Mapping[str, Any]) -> int | None:
        """The sequence number of an event; None without a cursor, or if the event failed."""
        return self.cursor.read_position(event) if self.cursor else None
