"""Rows of the table of deliveries."""

from __future__ import annotations

from typing import Any
from uuid import uuid4


def build_delivery_row(destination: str, queue: str = "default", **columns: Any) -> dict[str, Any]:
    """Build the row of a new delivery, with a message id of its own."""
    message_id = uuid4().hex
    return {
        "id": f"{message_id}:{destination}",
        "message_id": message_id,
        "destination": destination,
        "queue": queue,
        "version": 1,
        "payload": {},
        "traceparent": "",
        **columns,
    }
