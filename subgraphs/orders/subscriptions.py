"""The subscriptions of the orders domain."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import strawberry
from strawberry.federation.schema_directives import Authenticated

from subgraphs.common.types import Cursor, check_cursor
from subgraphs.orders import service
from subgraphs.orders.loaders import Loaders
from subgraphs.orders.types import Info, OrderEvent


@strawberry.type
class Subscription:
    """The root subscription fields."""

    @strawberry.subscription(
        directives=[Authenticated()],
        description="Every transition of an order after a number: first the past ones, then each as it "
        "happens. It completes after a final state.",
    )
    async def order(
        self, info: Info, id: strawberry.ID, after: Cursor = 0
    ) -> AsyncGenerator[OrderEvent, None]:
        """Follow an order."""
        context = info.context
        events = service.follow_order(context.runtime, context.identity, id, check_cursor(after))
        async with aclosing(events):
            async for progress in events:
                # Each event reports changed rows, so what was loaded before is out of date.
                context.loaders = Loaders(context.runtime, context.caller)
                yield OrderEvent.of(progress)
