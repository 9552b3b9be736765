"""Webhooks of the offline providers, for tests that do not let a fake send them."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson

from tests.support.fakes.webhooks import create_signer


def build_event(event_id: str, kind: str, reference: str, own_id: str | None = None) -> bytes:
    """Build the body of an event about what the provider calls `reference`."""
    return orjson.dumps({"id": event_id, "type": kind, "data": {"reference": reference, "own_id": own_id}})


def sign(body: bytes, secret: str, at: datetime | None = None) -> str:
    """Sign a body for the header `memorable-signature`."""
    seconds = int((at or datetime.now(UTC)).timestamp())
    return create_signer(secret)(body, seconds)["memorable-signature"]
