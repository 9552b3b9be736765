"""The consent ledger: what a parent has agreed to, in which version, and from when until when."""

from __future__ import annotations

from subgraphs.auth import repository
from subgraphs.auth.events import ConsentRevoked
from subgraphs.auth.models import Consent
from subgraphs.common.consent import ConsentPurpose
from subgraphs.common.identity import Identity
from subgraphs.common.ids import new_id
from subgraphs.common.runtime import Runtime
from subgraphs.common.validation import clean_text


async def record_consent(
    runtime: Runtime, parent: Identity, purpose: ConsentPurpose, policy_version: str
) -> Consent:
    """Record a consent in the ledger; one that is in force already is returned."""
    parent.require("parent")
    version = clean_text("policyVersion", policy_version, max_length=40)
    async with runtime.unit_of_work() as uow:
        await repository.lock_user(uow.session, parent.user_id)
        existing = await repository.find_consent_in_force(uow.session, parent.user_id, purpose, version)
        if existing is not None:
            return existing
        consent = Consent(
            id=new_id("con"),
            user_id=parent.user_id,
            purpose=purpose,
            policy_version=version,
            granted_at=uow.now,
        )
        uow.session.add(consent)
    return consent


async def revoke_consent(runtime: Runtime, parent: Identity, consent_id: str) -> Consent:
    """Revoke a consent; its entry stays in the ledger. NotFound when it is not the parent's."""
    parent.require("parent")
    async with runtime.unit_of_work() as uow:
        consent = await repository.lock_consent(uow.session, parent.user_id, consent_id)
        if consent.revoked_at is None:
            consent.revoked_at = uow.now
            await uow.publish(ConsentRevoked(consent.id, consent.user_id, consent.purpose))
    return consent


async def has_consent(runtime: Runtime, user_id: str, purpose: ConsentPurpose) -> bool:
    """Whether a user has consented to a purpose, for a task that uses the user's data."""
    async with runtime.database.read() as session:
        return await repository.has_consent_in_force(session, user_id, purpose)
