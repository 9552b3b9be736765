"""The loaders of one request: one statement for each kind of thing that it asks for side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession
from strawberry.dataloader import DataLoader

from subgraphs.common.identity import Identity
from subgraphs.common.loaders import loader
from subgraphs.common.pagination import EMPTY, Page, PageRequest
from subgraphs.common.runtime import Runtime
from subgraphs.orders import repository
from subgraphs.orders.models import Order, OrderTransition, Payment, Quote

ListKey = tuple[str, PageRequest]
"""A user's id, and which page of their orders."""


class Loaders:
    """The loaders of one request; whatever is not the caller's is as if it were not there."""

    def __init__(self, runtime: Runtime, caller: Identity | None) -> None:
        owner = caller.user_id if caller else ""

        async def quotes(session: AsyncSession, ids: list[str]) -> Mapping[str, Quote | None]:
            return await repository.quotes_by_id(session, owner, ids)

        async def orders(session: AsyncSession, ids: list[str]) -> Mapping[str, Order | None]:
            return await repository.orders_by_id(session, owner, ids)

        async def payments(session: AsyncSession, ids: list[str]) -> Mapping[str, Payment | None]:
            return await repository.payments_by_id(session, owner, ids)

        async def of_books(session: AsyncSession, ids: list[str]) -> Mapping[str, Sequence[Order]]:
            return await repository.orders_of_books(session, owner, ids)

        async def of_users(session: AsyncSession, keys: list[ListKey]) -> Mapping[ListKey, Page[Order]]:
            return await _orders_of_users(session, owner, keys)

        database = runtime.database
        self.quote: DataLoader[str, Quote | None] = loader(database, quotes, None)
        self.order: DataLoader[str, Order | None] = loader(database, orders, None)
        self.payment: DataLoader[str, Payment | None] = loader(database, repository.payments_of, None)
        self.payment_by_id: DataLoader[str, Payment | None] = loader(database, payments, None)
        self.history: DataLoader[str, Sequence[OrderTransition]] = loader(
            database, repository.transitions_of, ()
        )
        self.orders_of_book: DataLoader[str, Sequence[Order]] = loader(database, of_books, ())
        self.orders_of_user: DataLoader[ListKey, Page[Order]] = loader(database, of_users, EMPTY)


async def _orders_of_users(
    session: AsyncSession, owner: str, keys: Sequence[ListKey]
) -> dict[ListKey, Page[Order]]:
    """Load the orders of users, those with the same page request in one statement."""
    users: defaultdict[PageRequest, list[str]] = defaultdict(list)
    for user_id, request in keys:
        users[request].append(user_id)
    return {
        (user_id, request): page
        for request, ids in users.items()
        for user_id, page in (await repository.orders_of_users(session, owner, ids, request)).items()
    }
