"""The queries of the orders domain."""

from __future__ import annotations

import strawberry

from subgraphs.common.errors import NotFound
from subgraphs.orders.types import Info, Order, Quote


@strawberry.type
class Query:
    """The root query fields; what is not the caller's is not found."""

    @strawberry.federation.field(authenticated=True, description="One of the caller's orders.")
    async def order(self, info: Info, id: strawberry.ID) -> Order:
        """An order; NotFound when it is not the caller's."""
        caller = info.context.identity
        row = await info.context.loaders.order.load(id)
        if row is None or row.owner_id != caller.user_id:
            raise NotFound("Order", id)
        return Order.of(row)

    @strawberry.federation.field(authenticated=True, description="One of the caller's quotes.")
    async def quote(self, info: Info, id: strawberry.ID) -> Quote:
        """A quote; NotFound when it is not the caller's."""
        caller = info.context.identity
        row = await info.context.loaders.quote.load(id)
        if row is None or row.owner_id != caller.user_id:
            raise NotFound("Quote", id)
        return Quote.of(row)
