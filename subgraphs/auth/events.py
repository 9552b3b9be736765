"""The events of the auth domain."""

from __future__ import annotations

from dataclasses import dataclass

from subgraphs.common.messages import Event


@dataclass(frozen=True, slots=True)
class ConsentRevoked(Event):
    """A parent has revoked a consent to a purpose, a name of ConsentPurpose."""

    consent_id: str
    user_id: str
    purpose: str
