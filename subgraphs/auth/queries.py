"""The queries of the auth domain."""

from __future__ import annotations

import strawberry

from subgraphs.auth.types import Info, User
from subgraphs.common.errors import Unauthenticated


@strawberry.type
class Query:
    """The root query fields."""

    @strawberry.federation.field(authenticated=True, description="The user who is signed in.")
    async def me(self, info: Info) -> User:
        """Find the caller's account; Unauthenticated when it no longer exists."""
        row = await info.context.loaders.user.load(info.context.identity.user_id)
        if row is None:
            raise Unauthenticated
        return User.of(row)
