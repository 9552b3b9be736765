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
    """The root subscription fields; each resumes after a cursor without a gap."""

    @strawberry.subscription(
        directives=[Authenticated()],
        description="Every event of a generation after a number: first the past ones, then each as it "
        "happens. It completes after the last one.",
    )
    async def generation(
        self, info: Info, id: strawberry.ID, after: Cursor = 0
    ) -> AsyncGenerator[GenerationEvent, None]:
        """Replay, then follow."""
        context = info.context
        generation = service.follow_generation(context.runtime, context.identity, id, check_cursor(after))
        async with aclosing(generation) as steps:
            async for step in steps:
                if step.event.kind in DURABLE:
                    # The rows have changed: what was loaded for the events before is out of date.
                    context.loaders = Loaders(context.runtime, context.caller)
                yield convert_event(step)
