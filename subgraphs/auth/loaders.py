"""The DataLoaders of one request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession
from strawberry.dataloader import DataLoader

from subgraphs.auth import repository
from subgraphs.auth.models import Consent, Session, User
from subgraphs.common.identity import Identity
from subgraphs.common.loaders import bind_owner, create_loader
from subgraphs.common.runtime import Runtime


class Loaders:
    """The loaders of one request; they do not find what belongs to anyone but the caller."""

    def __init__(self, runtime: Runtime, caller: Identity | None) -> None:
        database = runtime.database
        owner_id = caller.user_id if caller else ""

        async def load_sessions(
            session: AsyncSession, user_ids: list[str]
        ) -> Mapping[str, Sequence[Session]]:
            return await repository.load_open_sessions_of_users(session, owner_id, user_ids, runtime.clock())

        self.user: DataLoader[str, User | None] = create_loader(
            database, bind_owner(repository.load_users, owner_id), None
        )
        self.consent: DataLoader[str, Consent | None] = create_loader(
            database, bind_owner(repository.load_consents, owner_id), None
        )
        self.sessions_of_user: DataLoader[str, Sequence[Session]] = create_loader(database, load_sessions, ())
        self.consents_of_user: DataLoader[str, Sequence[Consent]] = create_loader(
            database, bind_owner(repository.load_consents_of_users, owner_id), ()
        )
