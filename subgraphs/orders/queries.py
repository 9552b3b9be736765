"""The queries of the orders domain."""

from __future__ import annotations

import strawberry

from subgraphs.orders.types import Info, Order, Quote


@strawberry.type
class Query:
    """The root query fields."""

    @strawberry.federation.field(authenticated=True, description="One of the caller's orders.")
    async def order(self, info: Info, id: strawberry.ID) -> Order:
        """Find an order; NotFound when it is not the caller's."""
        return info.context.require_found("Order", id, await Order.resolve_reference(info, id))

    @strawberry.federation.field(authenticated=True, description="One of the caller's quotes.")
    async def quote(self, info: Info, id: strawberry.ID) -> Quote:
        """Find a quote; NotFound when it is not the caller's."""
        return info.context.require_found("Quote", id, await Quote.resolve_reference(info, id))
