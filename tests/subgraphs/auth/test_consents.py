"""The consent ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.subgraphs.auth.conftest import Parent
from tests.subgraphs.auth.outbox import read_events
from tests.support.subgraph import Answer, SubgraphClient
from tests.support.tokens import sign_token

RECORD = """
mutation ($purpose: ConsentPurpose!, $version: String!) {
  recordConsent(input: {purpose: $purpose, policyVersion: $version}) { id purpose policyVersion revokedAt }
}
"""
REVOKE = "mutation ($id: ID!) { revokeConsent(id: $id) { id revokedAt } }"
LEDGER = "{ me { consents { id purpose policyVersion revokedAt } } }"


async def record_consent(auth: SubgraphClient, token: str, version: str = "2026-01") -> Answer:
    return await auth.execute(RECORD, {"purpose": "AI_PROCESSING", "version": version}, token)


async def read_ledger(auth: SubgraphClient, parent: Parent) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = (await auth.execute(LEDGER, token=parent.access_token)).ok["me"][
        "consents"
    ]
    return entries


async def test_a_recorded_consent_is_in_the_ledger(auth: SubgraphClient, parent: Parent) -> None:
    consent = (await record_consent(auth, parent.access_token)).ok["recordConsent"]
    assert consent["id"].startswith("con_")
    assert await read_ledger(auth, parent) == [
        {
            "id": consent["id"],
            "purpose": "AI_PROCESSING",
            "policyVersion": "2026-01",
            "revokedAt": None,
        }
    ]


async def test_recording_a_valid_consent_again_adds_nothing(auth: SubgraphClient, parent: Parent) -> None:
    answers = await asyncio.gather(*(record_consent(auth, parent.access_token) for _ in range(5)))
    assert len({answer.ok["recordConsent"]["id"] for answer in answers}) == 1
    assert len(await read_ledger(auth, parent)) == 1


async def test_a_revoked_consent_stays_in_the_ledger_and_can_be_given_again(
    auth: SubgraphClient, parent: Parent
) -> None:
    first = (await record_consent(auth, parent.access_token)).ok["recordConsent"]["id"]
    revoked = (await auth.execute(REVOKE, {"id": first}, parent.access_token)).ok["revokeConsent"]
    again = (await auth.execute(REVOKE, {"id": first}, parent.access_token)).ok["revokeConsent"]
    assert revoked["revokedAt"] is not None
    assert again == revoked
    second = (await record_consent(auth, parent.access_token)).ok["recordConsent"]["id"]
    assert [(entry["id"], entry["revokedAt"] is None) for entry in await read_ledger(auth, parent)] == [
        (second, True),
        (first, False),
    ]
    assert await read_events(auth, parent.id) == [
        (
            "auth.ConsentRevoked",
            {"consent_id": first, "user_id": parent.id, "purpose": "AI_PROCESSING"},
        )
    ]


async def test_someone_elses_consent_is_not_found(
    auth: SubgraphClient, sign_up: Callable[[], Awaitable[Parent]]
) -> None:
    me, other = await sign_up(), await sign_up()
    consent = (await record_consent(auth, other.access_token)).ok["recordConsent"]["id"]
    assert (await auth.execute(REVOKE, {"id": consent}, me.access_token)).code == "NOT_FOUND"
    reference = [{"__typename": "Consent", "id": consent}]
    assert await auth.resolve_entities("... on Consent { id }", reference, me.access_token) == [None]
    assert await auth.resolve_entities("... on Consent { id }", reference, other.access_token) == [
        {"id": consent}
    ]


async def test_a_consent_requires_the_scope_of_a_parent(auth: SubgraphClient, parent: Parent) -> None:
    assert (await record_consent(auth, sign_token(parent.id, ["staff"]))).code == "FORBIDDEN"
    assert await read_ledger(auth, parent) == []


@pytest.mark.parametrize("version", ["", "x" * 41])
async def test_an_invalid_version_is_refused(auth: SubgraphClient, parent: Parent, version: str) -> None:
    answer = await record_consent(auth, parent.access_token, version)
    assert (answer.code, answer.field) == ("BAD_USER_INPUT", "policyVersion")


async def test_statements_do_not_grow_with_the_ledger(auth: SubgraphClient, parent: Parent) -> None:
    async def count_statements_of_a_read() -> int:
        before = await auth.count_statements()
        await read_ledger(auth, parent)
        return await auth.count_statements() - before

    await record_consent(auth, parent.access_token, "1")
    few = await count_statements_of_a_read()
    for version in range(2, 8):
        await record_consent(auth, parent.access_token, str(version))
    assert await count_statements_of_a_read() == few == 2
