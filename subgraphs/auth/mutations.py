"""The mutations of the auth domain."""

from __future__ import annotations

import strawberry
from strawberry.federation.schema_directives import Cost

from subgraphs.auth import errors, results, service
from subgraphs.auth.inputs import RecordConsentInput, SignInInput, SignUpInput
from subgraphs.auth.results import RefreshResult, SignInResult, SignUpResult
from subgraphs.auth.types import Consent, Info, Session
from subgraphs.common.budget import get_budget

PARENT = [["parent"]]
# Hashing a password takes as much CPU time as completing some hundred objects.
_HASHING = Cost(weight=500)
_ONE_PASSWORD = "One operation can make or check one password."  # noqa: S105 - a message


@strawberry.type
class Mutation:
    """The root mutation fields, one use case each."""

    @strawberry.mutation(directives=[_HASHING], description="Create an account and sign in.")
    async def sign_up(self, info: Info, input: SignUpInput) -> SignUpResult:
        """Create an account and open its first session."""
        get_budget().claim_expensive_field(_ONE_PASSWORD)
        context = info.context
        try:
            signed_in = await service.sign_up(context.runtime, input.to_details(), context.user_agent)
        except errors.EmailTaken as error:
            return results.EmailTaken(message=str(error))
        return results.SignedIn.of(signed_in)

    @strawberry.mutation(directives=[_HASHING], description="Sign in with an e-mail address and a password.")
    async def sign_in(self, info: Info, input: SignInInput) -> SignInResult:
        """Open a session."""
        get_budget().claim_expensive_field(_ONE_PASSWORD)
        context = info.context
        try:
            signed_in = await service.sign_in(
                context.runtime, input.email, input.password, context.user_agent
            )
        except errors.InvalidCredentials as error:
            return results.InvalidCredentials(message=str(error))
        return results.SignedIn.of(signed_in)

    @strawberry.mutation(
        description="Exchange a refresh token for new tokens. Each is valid once: using one again revokes "
        "its session, since it must have been copied."
    )
    async def refresh(self, info: Info, refresh_token: str) -> RefreshResult:
        """Exchange a refresh token for new tokens."""
        signed_in = await service.refresh(info.context.runtime, refresh_token)
        if signed_in is None:
            return results.SessionExpired(message="The session has ended; sign in again.")
        return results.SignedIn.of(signed_in)

    @strawberry.federation.mutation(authenticated=True, description="End the session of this request.")
    async def sign_out(self, info: Info) -> bool:
        """End the caller's session; always true."""
        await service.sign_out(info.context.runtime, info.context.identity)
        return True

    @strawberry.federation.mutation(authenticated=True, description="End one of the caller's sessions.")
    async def revoke_session(self, info: Info, id: strawberry.ID) -> Session:
        """Revoke a session."""
        return Session.of(await service.revoke_session(info.context.runtime, info.context.identity, id))

    @strawberry.federation.mutation(
        requires_scopes=PARENT,
        description="Record the parent's consent; one that is in force already is returned.",
    )
    async def record_consent(self, info: Info, input: RecordConsentInput) -> Consent:
        """Record a consent."""
        consent = await service.record_consent(
            info.context.runtime, info.context.identity, input.purpose, input.policy_version
        )
        return Consent.of(consent)

    @strawberry.federation.mutation(
        requires_scopes=PARENT, description="Revoke a consent; its entry stays in the ledger."
    )
    async def revoke_consent(self, info: Info, id: strawberry.ID) -> Consent:
        """Revoke a consent."""
        return Consent.of(await service.revoke_consent(info.context.runtime, info.context.identity, id))
