"""What can be watched of the orders domain."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Annotated

import strawberry
from strawberry.federation.schema_directives import Authenticated

from subgraphs.common.live import LiveEvent
from subgraphs.common.validation import in_range
from subgraphs.orders import repository, service
from subgraphs.orders.loaders import Loaders
from subgraphs.orders.states import TERMINAL, OrderStatus
from subgraphs.orders.types import Info, Order

Cursor = Annotated[
    int, strawberry.argument(description="The number of the last event seen; 0 begins at the beginning.")
]
_HIGHEST = 2**31 - 1


@strawberry.type(description="An order came into a state.")
class OrderEvent:
    """A numbered event of one order."""

    sequence: int = strawberry.field(description="Counts from 1 without gaps; send it as `after` to go on.")
    at: datetime
    status: OrderStatus = strawberry.field(description="The state that the order came into.")
    order: Order = strawberry.field(description="The order as it is now, which may be further on.")


@strawberry.type
class Subscription:
    """Streams that can be joined again without losing anything."""

    @strawberry.subscription(
        directives=[Authenticated()],
        description="Every state an order comes into, after a number: first those that were, then each as it "
        "happens. It completes after a final state.",
    )
    async def order(
        self, info: Info, id: strawberry.ID, after: Cursor = 0
    ) -> AsyncGenerator[OrderEvent, None]:
        """Replay, then follow."""
        context = info.context
        runtime, caller = context.runtime, context.identity
        cursor = in_range("after", after, 0, _HIGHEST)
        async with runtime.database.read() as session:
            row = await repository.get_order(session, caller.user_id, id)
        if row.status in TERMINAL and cursor >= row.last_sequence:
            return

        async def history(last: int) -> Sequence[LiveEvent]:
            return await service.history_of(runtime.database, id, last)

        async with aclosing(runtime.live.follow(service.stream_key(id), cursor, history)) as events:
            async for event in events:
                # What an earlier event had loaded may have changed since.
                context.loaders = Loaders(runtime, caller)
                async with runtime.database.read() as session:
                    row = await repository.get_order(session, caller.user_id, id)
                status = OrderStatus(event.data["status"])
                yield OrderEvent(sequence=event.sequence, at=event.at, status=status, order=Order.of(row))
                if status in TERMINAL:
                    return
