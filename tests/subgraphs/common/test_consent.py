"""Consents: one counts for its own purpose, and until it is revoked."""

from __future__ import annotations

import pytest

from subgraphs.common.consent import ConsentPurpose, ConsentRequired, require_consent

REVOKED = "2026-01-01T00:00:00+00:00"


@pytest.mark.parametrize(
    "ledger",
    [
        [("AI_PROCESSING", None)],
        [("AI_PROCESSING", None), ("CHILD_PROFILE", REVOKED)],
        [("AI_PROCESSING", REVOKED), ("CHILD_PROFILE", None), ("AI_PROCESSING", None)],
    ],
)
def test_a_consent_in_force_is_enough(ledger: list[tuple[str, str | None]]) -> None:
    require_consent(build_data(ledger), ConsentPurpose.AI_PROCESSING)


@pytest.mark.parametrize("ledger", [[], [("CHILD_PROFILE", None)], [("AI_PROCESSING", REVOKED)]])
def test_without_one_the_purpose_is_named(ledger: list[tuple[str, str | None]]) -> None:
    with pytest.raises(ConsentRequired, match="consent for the purpose AI_PROCESSING") as refused:
        require_consent(build_data(ledger), ConsentPurpose.AI_PROCESSING)
    assert refused.value.purpose is ConsentPurpose.AI_PROCESSING


def build_data(ledger: list[tuple[str, str | None]]) -> dict[str, object]:
    return {
        "me": {"consents": [{"purpose": purpose, "revokedAt": revoked} for purpose, revoked in ledger]},
    }
