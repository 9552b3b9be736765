"""The loaders of one request: one statement for each kind of thing that it asks for side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession
from strawberry.dataloader import DataLoader

from subgraphs.auth import repository
from subgraphs.auth.models import Consent, Session, User
from subgraphs.common.identity import Identity
from subgraphs.common.loaders import loader
from subgraphs.common.runtime import Runtime


class Loaders:
    """The loaders of one request; whatever is not the caller's is as if it were not there."""

    def __init__(self, runtime: Runtime, caller: Identity | None) -> None:
        owner = caller.user_id if caller else ""

        async def users(session: AsyncSession, ids: list[str]) -> Mapping[str, User | None]:
            return await repository.users_by_id(session, [id_ for id_ in ids if id_ == owner])

        async def consents(session: AsyncSession, ids: list[str]) -> Mapping[str, Consent | None]:
            return await repository.consents_by_id(session, owner, ids)

        async def sessions(session: AsyncSession, ids: list[str]) -> Mapping[str, Sequence[Session]]:
            return await repository.open_sessions_of(session, ids, runtime.clock())

        self.user = loader(runtime.database, users, None)
        self.consent = loader(runtime.database, consents, None)
        self.sessions: DataLoader[str, Sequence[Session]] = loader(runtime.database, sessions, ())
        self.consents: DataLoader[str, Sequence[Consent]] = loader(
            runtime.database, repository.consents_of, ()
        )
