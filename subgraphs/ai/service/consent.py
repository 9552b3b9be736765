"""The parent's consent to the use of AI."""

from __future__ import annotations

from typing import Any

from subgraphs.ai.errors import ConsentRequired

PURPOSE = "AI_PROCESSING"
SELECTION = "me { consents { purpose revokedAt } }"


def require_consent(data: dict[str, Any]) -> None:
    """Refuse when the data of SELECTION has no consent in force."""
    consents = data["me"]["consents"]
    if not any(consent["purpose"] == PURPOSE and consent["revokedAt"] is None for consent in consents):
        raise ConsentRequired(PURPOSE)
