"""The auth domain's part of the graph."""

from __future__ import annotations

from datetime import datetime
from typing import Self

import strawberry

from subgraphs.auth import models
from subgraphs.auth.loaders import Loaders
from subgraphs.common.consent import ConsentPurpose
from subgraphs.common.context import Context
from subgraphs.common.types import sized

Info = strawberry.Info[Context[Loaders], None]

strawberry.enum(ConsentPurpose, description="What a parent can consent to.")


@strawberry.federation.type(
    keys=["id"], description="An entry of a parent's consent ledger, in force until it is revoked."
)
class Consent:
    """A consent."""

    id: strawberry.ID
    purpose: ConsentPurpose
    policy_version: str = strawberry.field(description="The version of the policy that the parent agreed to.")
    granted_at: datetime
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: models.Consent) -> Self:
        """Convert a row."""
        return cls(
            id=strawberry.ID(row.id),
            purpose=row.purpose,
            policy_version=row.policy_version,
            granted_at=row.granted_at,
            revoked_at=row.revoked_at,
        )

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self | None:
        """Find a consent of the caller's."""
        row = await info.context.loaders.consent.load(id)
        return cls.of(row) if row else None


@strawberry.type(description="A session of a user.")
class Session:
    """A session."""

    id: strawberry.ID
    created_at: datetime
    last_seen_at: datetime = strawberry.field(description="When its tokens were last refreshed.")
    expires_at: datetime = strawberry.field(description="When it ends, unless it is refreshed before.")
    user_agent: str | None = strawberry.field(description="The User-Agent of the client that signed in.")

    @classmethod
    def of(cls, row: models.Session) -> Self:
        """Convert a row."""
        return cls(
            id=strawberry.ID(row.id),
            created_at=row.created_at,
            last_seen_at=row.last_seen_at,
            expires_at=row.expires_at,
            user_agent=row.user_agent,
        )

    @strawberry.field(description="Whether it is the session of this request.")
    def current(self, info: Info) -> bool:
        """Compare with the session of the caller's token."""
        caller = info.context.caller
        return caller is not None and caller.session_id == self.id


@strawberry.federation.type(keys=["id"], description="A parent's account.")
class User:
    """An account; only its owner can see it."""

    id: strawberry.ID
    email: str
    display_name: str
    created_at: datetime

    @classmethod
    def of(cls, row: models.User) -> Self:
        """Convert a row."""
        return cls(
            id=strawberry.ID(row.id),
            email=row.email,
            display_name=row.display_name,
            created_at=row.created_at,
        )

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self | None:
        """Find the caller's own account."""
        row = await info.context.loaders.user.load(id)
        return cls.of(row) if row else None

    @strawberry.field(
        directives=[sized(10)],
        description="The consent ledger, newest entry first, revoked entries included.",
    )
    async def consents(self, info: Info) -> list[Consent]:
        """Load all consents, revoked ones included."""
        return [Consent.of(row) for row in await info.context.loaders.consents_of_user.load(self.id)]

    @strawberry.field(directives=[sized(10)], description="The user's open sessions, the last seen first.")
    async def sessions(self, info: Info) -> list[Session]:
        """Load the open sessions."""
        return [Session.of(row) for row in await info.context.loaders.sessions_of_user.load(self.id)]
