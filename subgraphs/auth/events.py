"""What auth tells the platform."""

from __future__ import annotations

from dataclasses import dataclass

from subgraphs.common.messages import Event


@dataclass(frozen=True, slots=True)
class UserSignedUp(Event):
    """There is a new account."""

    user_id: str


@dataclass(frozen=True, slots=True)
class ConsentRecorded(Event):
    """A parent consented to a purpose, a name of ConsentPurpose."""

    consent_id: str
    user_id: str
    purpose: str


@dataclass(frozen=True, slots=True)
class ConsentRevoked(Event):
    """A parent took a consent back."""

    consent_id: str
    user_id: str
    purpose: str


@dataclass(frozen=True, slots=True)
class SessionFamilyRevoked(Event):
    """A session's refresh tokens are dead; `reason` is signed_out, revoked or reuse."""

    session_id: str
    user_id: str
    reason: str
