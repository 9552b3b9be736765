"""Cancellation of a generation."""

from __future__ import annotations

from redis.exceptions import RedisError

from subgraphs.ai import repository
from subgraphs.ai.models import Generation
from subgraphs.ai.pipeline.journal import build_stream_key, find_next_sequence, record_event
from subgraphs.ai.states import GENERATION_STATES, GenerationStatus
from subgraphs.common.identity import Identity
from subgraphs.common.live import StaleWriter
from subgraphs.common.runtime import Runtime
from subgraphs.common.telemetry import get_logger


async def cancel_generation(runtime: Runtime, parent: Identity, generation_id: str) -> Generation:
    """Cancel a generation; one that has ended is left as it is.

    After the commit its runner no longer holds the lease: it calls no provider any more, and discards the
    result of a call under way. What is in the book stays.
    """
    parent.require("parent")
    async with runtime.unit_of_work() as uow:
        generation = await repository.lock_generation(uow.session, parent.user_id, generation_id)
        if not GENERATION_STATES.may_become(generation.status, GenerationStatus.CANCELLED):
            return generation
        number = await find_next_sequence(runtime.live, generation)
        generation.lease += 1
        generation.status = GenerationStatus.CANCELLED
        generation.finished_at = uow.now
        await repository.skip_open_steps(uow.session, generation_id)
        event = record_event(uow, generation, number, "GenerationCancelled", {})

        async def send() -> None:
            try:
                await runtime.live.append(build_stream_key(generation_id), event)
            except (RedisError, StaleWriter) as error:
                # Subscribers read it from the row instead.
                get_logger().warning("A live event was not appended", generation=generation_id, error=error)

        uow.after_commit.append(send)
    return generation
