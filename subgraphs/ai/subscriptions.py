"""The subscriptions of the ai domain."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import strawberry
from strawberry.federation.schema_directives import Authenticated

from subgraphs.ai import service
from subgraphs.ai.loaders import Loaders
from subgraphs.ai.types import Info
from subgraphs.ai.types.events import DURABLE, GenerationEvent, convert_event
from subgraphs.common.types import Cursor, check_cursor


@strawberry.type
class Subscription:
    """The root subscription fields."""

    @strawberry.subscription(
        directives=[Authenticated()],
        description="Every event of a generation after a number: first the past ones, then each as it "
        "happens. It completes after the last one.",
    )
    async def generation(
        self, info: Info, id: strawberry.ID, after: Cursor = 0
    ) -> AsyncGenerator[GenerationEvent, None]:
        """Follow a generation."""
        context = info.context
        events = service.follow_generation(context.runtime, context.identity, id, check_cursor(after))
        async with aclosing(events):
            async for progress in events:
                if progress.event.kind in DURABLE:
                    # A durable event reports changed rows, so what was loaded before is out of date.
                    context.loaders = Loaders(context.runtime, context.caller)
                yield convert_event(progress)
