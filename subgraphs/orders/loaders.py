"""The DataLoaders of one request."""

from __future__ import annotations

from collections.abc import Sequence

from strawberry.dataloader import DataLoader

from subgraphs.common.identity import Identity
from subgraphs.common.loaders import PageKey, bind_owner, create_loader, create_page_loader
from subgraphs.common.pagination import Page
from subgraphs.common.runtime import Runtime
from subgraphs.orders import repository
from subgraphs.orders.models import Order, OrderTransition, PaymentAttempt, Quote, Refund


class Loaders:
    """The loaders of one request; they do not find what belongs to anyone but the caller."""

    def __init__(self, runtime: Runtime, caller: Identity | None) -> None:
        database = runtime.database
        owner_id = caller.user_id if caller else ""

        self.quote: DataLoader[str, Quote | None] = create_loader(
            database, bind_owner(repository.load_quotes, owner_id), None
        )
        self.order: DataLoader[str, Order | None] = create_loader(
            database, bind_owner(repository.load_orders, owner_id), None
        )
        self.attempt: DataLoader[str, PaymentAttempt | None] = create_loader(
            database, bind_owner(repository.load_attempts, owner_id), None
        )
        self.attempts_of_order: DataLoader[str, Sequence[PaymentAttempt]] = create_loader(
            database, repository.load_attempts_of_orders, ()
        )
        self.refunds_of_attempt: DataLoader[str, Sequence[Refund]] = create_loader(
            database, repository.load_refunds_of_attempts, ()
        )
        self.transitions_of_order: DataLoader[str, Sequence[OrderTransition]] = create_loader(
            database, repository.load_transitions_of_orders, ()
        )
        self.orders_of_book: DataLoader[str, Sequence[Order]] = create_loader(
            database, bind_owner(repository.load_orders_of_books, owner_id), ()
        )
        self.orders_of_user: DataLoader[PageKey, Page[Order]] = create_page_loader(
            database, bind_owner(repository.load_orders_of_users, owner_id)
        )
