"""The progress of a generation, as subscribers see it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from subgraphs.ai import repository
from subgraphs.ai.pipeline.journal import EVENT_ROWS
from subgraphs.ai.states import GENERATION_STATES
from subgraphs.common.identity import Identity
from subgraphs.common.live import LiveEvent
from subgraphs.common.runtime import Runtime
from subgraphs.common.transitions import follow_until

_LAST_KINDS: Final = frozenset({"GenerationCompleted", "GenerationFailed", "GenerationCancelled"})


@dataclass(frozen=True, slots=True)
class GenerationProgress:
    """An event of a generation, with its book and the numbers of the pages that it works on, by id."""

    event: LiveEvent
    generation_id: str
    book_id: str
    page_numbers: Mapping[str, int]


async def follow_generation(
    runtime: Runtime, caller: Identity, generation_id: str, after: int
) -> AsyncGenerator[GenerationProgress, None]:
    """Yield the events of the caller's generation after a number, up to the last one."""
    async with runtime.live.admission, runtime.database.read() as session:
        generation = await repository.get_generation(session, caller.user_id, generation_id)
        page_numbers = await repository.load_page_numbers(session, generation_id)
    if generation.status in GENERATION_STATES.terminal and after >= generation.last_sequence:
        return
    events = follow_until(_is_last, runtime, EVENT_ROWS, generation_id, after)
    async with aclosing(events):
        async for event in events:
            yield GenerationProgress(event, generation_id, generation.book_id, page_numbers)


def _is_last(event: LiveEvent) -> bool:
    return event.kind in _LAST_KINDS
