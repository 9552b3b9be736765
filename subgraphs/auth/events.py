"""The events of the auth domain."""

from __future__ import annotations

from dataclasses import dataclass

from subgraphs.common.messages import Event


@dataclass(frozen=True, slots=True)
class UserSignedUp(Event):
    """A parent has signed up."""

    user_id: str


@dataclass(frozen=True, slots=True)
class ConsentRecorded(Event):
    """A parent has consented to a purpose, a name of ConsentPurpose."""

    consent_id: str
    user_id: str
    purpose: str


@dataclass(frozen=True, slots=True)
class ConsentRevoked(Event):
    """A parent has revoked a consent."""

    consent_id: str
    user_id: str
    purpose: str


@dataclass(frozen=True, slots=True)
class SessionFamilyRevoked(Event):
    """A session's refresh tokens have been revoked; `reason` is signed_out, revoked or reuse."""

    session_id: str
    user_id: str
    reason: str
