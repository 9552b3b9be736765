"""The consent of a parent to the use of AI."""

from __future__ import annotations

from typing import Any

from subgraphs.ai.errors import ConsentRequired

AI_PROCESSING = "AI_PROCESSING"
SELECTION = "me { consents { purpose revokedAt } }"


def require_consent(data: dict[str, Any]) -> None:
    """Raise ConsentRequired when no consent to AI_PROCESSING in the data of SELECTION is in force."""
    consents = data["me"]["consents"]
    if not any(consent["purpose"] == AI_PROCESSING and consent["revokedAt"] is None for consent in consents):
        raise ConsentRequired(AI_PROCESSING)
