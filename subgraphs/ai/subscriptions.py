"""What can be watched of the ai domain."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Annotated

import strawberry
from strawberry.federation.schema_directives import Authenticated

from subgraphs.ai import repository
from subgraphs.ai.loaders import Loaders
from subgraphs.ai.pipeline.journal import as_live, stream_key
from subgraphs.ai.types import Info
from subgraphs.ai.types.events import DURABLE, TERMINAL, GenerationEvent, show
from subgraphs.common.live import LiveEvent
from subgraphs.common.validation import in_range

Cursor = Annotated[
    int, strawberry.argument(description="The number of the last event seen; 0 begins at the beginning.")
]
_HIGHEST = 2**31 - 1


@strawberry.type
class Subscription:
    """Streams that can be joined again without losing anything."""

    @strawberry.subscription(
        directives=[Authenticated()],
        description="Every event of a generation after a number: first those that were, "
        "then each as it happens. It completes after the last one.",
    )
    async def generation(
        self, info: Info, id: strawberry.ID, after: Cursor = 0
    ) -> AsyncGenerator[GenerationEvent, None]:
        """Replay, then follow."""
        context = info.context
        runtime, caller = context.runtime, context.identity
        cursor = in_range("after", after, 0, _HIGHEST)
        async with runtime.database.read() as session:
            generation = await repository.get_generation(session, caller.user_id, id)
            page_numbers = await repository.page_numbers(session, id)
        if not generation.status.active and cursor >= generation.last_sequence:
            return

        async def history(last: int) -> Sequence[LiveEvent]:
            async with runtime.database.read() as session:
                return [as_live(row) for row in await repository.events_after(session, id, last)]

        async with aclosing(runtime.live.follow(stream_key(id), cursor, history)) as events:
            async for event in events:
                if event.kind in DURABLE:
                    # It tells of a change: what was loaded for the events before it is out of date.
                    context.loaders = Loaders(runtime, caller)
                yield show(event, id, generation.book_id, page_numbers)
                if event.kind in TERMINAL:
                    return
