"""Webhooks of the offline providers, as a provider would send them."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime

import orjson


def build_event(event_id: str, kind: str, reference: str, own_id: str | None = None) -> bytes:
    """Build the body of an event about what the provider calls `reference`."""
    return orjson.dumps({"id": event_id, "type": kind, "data": {"reference": reference, "own_id": own_id}})


def sign(body: bytes, secret: str, at: datetime | None = None) -> str:
    """Sign a body for the header `memorable-signature`."""
    time = int((at or datetime.now(UTC)).timestamp())
    digest = hmac.new(secret.encode(), f"{time}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={time},v1={digest}"
