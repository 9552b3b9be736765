"""Consents of a parent: their purposes, and the check whether one is in force."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from subgraphs.common.errors import DomainError

CONSENTS: Final = "me { consents { purpose revokedAt } }"
"""The selection of a query whose data `require_consent` checks."""


class ConsentPurpose(StrEnum):
    """What a parent can consent to."""

    CHILD_PROFILE = "CHILD_PROFILE"
    AI_PROCESSING = "AI_PROCESSING"


class ConsentRequired(DomainError):
    """The parent's consent to this purpose is not in force."""

    code = "CONSENT_REQUIRED"

    def __init__(self, purpose: ConsentPurpose) -> None:
        super().__init__(f"This needs your consent for the purpose {purpose}.")
        self.purpose = purpose


def require_consent(data: dict[str, Any], purpose: ConsentPurpose) -> None:
    """Raise ConsentRequired when no consent to the purpose is in force in the data of CONSENTS."""
    consents = data["me"]["consents"]
    if not any(consent["purpose"] == purpose and consent["revokedAt"] is None for consent in consents):
        raise ConsentRequired(purpose)
