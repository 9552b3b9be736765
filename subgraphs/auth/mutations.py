"""The mutations of auth: each parses its input, calls one use case and shows the outcome."""

from __future__ import annotations

import strawberry
from strawberry.federation.schema_directives import Cost

from subgraphs.auth import errors, results, service
from subgraphs.auth.inputs import RecordConsentInput, SignInInput, SignUpInput
from subgraphs.auth.results import RefreshResult, SignInResult, SignUpResult
from subgraphs.auth.tokens import signer
from subgraphs.auth.types import Consent, Info, Session
from subgraphs.common import budget

PARENT = [["parent"]]
# A password's hash takes a core for as long as some hundred objects of an answer.
_HASHING = Cost(weight=500)
_ONE_PASSWORD = "One operation can make or check one password."  # noqa: S105 - a message


@strawberry.type
class Mutation:
    """Each field is one transaction."""

    @strawberry.mutation(directives=[_HASHING], description="Make an account and sign it in.")
    async def sign_up(self, info: Info, input: SignUpInput) -> SignUpResult:
        """Make an account with its first session."""
        context = info.context
        budget.current().take_dear(_ONE_PASSWORD)
        account = await service.NewAccount.of(input.email, input.password, input.display_name)
        try:
            async with context.unit_of_work() as uow:
                user = await service.sign_up(uow, account)
                signed_in = await service.open_session(
                    uow, signer(context.runtime.settings), user, context.user_agent
                )
        except errors.EmailTaken as taken:
            return results.EmailTaken(message=str(taken))
        return results.SignedIn.of(signed_in)

    @strawberry.mutation(directives=[_HASHING], description="Sign in with an e-mail address and a password.")
    async def sign_in(self, info: Info, input: SignInInput) -> SignInResult:
        """Open a session."""
        context = info.context
        budget.current().take_dear(_ONE_PASSWORD)
        try:
            user = await service.check_credentials(context.runtime.database, input.email, input.password)
        except errors.InvalidCredentials as wrong:
            return results.InvalidCredentials(message=str(wrong))
        async with context.unit_of_work() as uow:
            signed_in = await service.open_session(
                uow, signer(context.runtime.settings), user, context.user_agent
            )
        return results.SignedIn.of(signed_in)

    @strawberry.mutation(
        description="Exchange a refresh token for new tokens. Each is good once: using one again ends its "
        "session, since it must have been copied."
    )
    async def refresh(self, info: Info, refresh_token: str) -> RefreshResult:
        """Rotate a session's tokens."""
        async with info.context.unit_of_work() as uow:
            signed_in = await service.refresh(uow, signer(info.context.runtime.settings), refresh_token)
        if signed_in is None:
            return results.SessionExpired(message="The session has ended; sign in again.")
        return results.SignedIn.of(signed_in)

    @strawberry.federation.mutation(authenticated=True, description="End the session of this request.")
    async def sign_out(self, info: Info) -> bool:
        """End the caller's session; true, also when it had ended before."""
        async with info.context.unit_of_work() as uow:
            await service.sign_out(uow, info.context.identity)
        return True

    @strawberry.federation.mutation(authenticated=True, description="End one of the caller's sessions.")
    async def revoke_session(self, info: Info, id: strawberry.ID) -> Session:
        """End a session."""
        async with info.context.unit_of_work() as uow:
            session = await service.revoke_session(uow, info.context.identity, id)
        return Session.of(session)

    @strawberry.federation.mutation(
        requires_scopes=PARENT,
        description="Record the parent's consent; where it stands already, nothing is added.",
    )
    async def record_consent(self, info: Info, input: RecordConsentInput) -> Consent:
        """Enter a consent into the ledger."""
        async with info.context.unit_of_work() as uow:
            consent = await service.record_consent(
                uow, info.context.identity, input.purpose, input.policy_version
            )
        return Consent.of(consent)

    @strawberry.federation.mutation(
        requires_scopes=PARENT, description="Take a consent back; its entry stays in the ledger."
    )
    async def revoke_consent(self, info: Info, id: strawberry.ID) -> Consent:
        """End a consent."""
        async with info.context.unit_of_work() as uow:
            consent = await service.revoke_consent(uow, info.context.identity, id)
        return Consent.of(consent)
