"""DataLoaders over short read sessions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession
from strawberry.dataloader import DataLoader

from subgraphs.common.database import Database

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


def loader(
    database: Database,
    fetch: Callable[[AsyncSession, list[Key]], Awaitable[Mapping[Key, Value]]],
    missing: Value,
) -> DataLoader[Key, Value]:
    """A loader that answers all keys of one tick by one call of `fetch`, each in its own read session.

    Keys that `fetch` leaves out get `missing`.
    """

    async def load(keys: list[Key]) -> list[Value]:
        async with database.read() as session:
            found = await fetch(session, keys)
        return [found.get(key, missing) for key in keys]

    return DataLoader(load_fn=load)
