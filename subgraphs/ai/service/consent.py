"""The parent's consent to the use of AI."""

from __future__ import annotations

from typing import Any

from subgraphs.ai.errors import ConsentRequired

PURPOSE = "AI_PROCESSING"
SELECTION = "me { consents { purpose revokedAt } }"


def require_consent(data: dict[str, Any]) -> None:
    """Refuse when the answer to SELECTION has no consent that stands."""
    consents = data["me"]["consents"]
    if not any(consent["purpose"] == PURPOSE and consent["revokedAt"] is None for consent in consents):
        raise ConsentRequired(PURPOSE)
