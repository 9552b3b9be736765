"""Cancellation of generations, by their parent or because consent was revoked."""

from __future__ import annotations

from enum import StrEnum

from subgraphs.ai import repository
from subgraphs.ai.models import Generation
from subgraphs.ai.pipeline.journal import EVENT_ROWS, find_next_sequence, record_event
from subgraphs.ai.states import GENERATION_STATES, GenerationStatus
from subgraphs.common.identity import Identity
from subgraphs.common.live import LiveStreams
from subgraphs.common.runtime import Runtime
from subgraphs.common.transitions import announce_after_commit
from subgraphs.common.unit_of_work import UnitOfWork


class CancellationReason(StrEnum):
    """Why a generation was cancelled."""

    REQUESTED = "REQUESTED"
    CONSENT_REVOKED = "CONSENT_REVOKED"


async def cancel_generation(runtime: Runtime, parent: Identity, generation_id: str) -> Generation:
    """Cancel a generation; one that has ended is left as it is.

    After the commit its runner no longer holds the lease: it calls no provider any more, and discards the
    result of a call under way. What is in the book stays.
    """
    parent.require("parent")
    async with runtime.unit_of_work() as uow:
        generation = await repository.lock_generation(uow.session, parent.user_id, generation_id)
        if GENERATION_STATES.may_become(generation.status, GenerationStatus.CANCELLED):
            await _cancel(uow, runtime.live, generation, CancellationReason.REQUESTED)
    return generation


async def cancel_generations_of_owner(runtime: Runtime, uow: UnitOfWork, owner_id: str) -> None:
    """Cancel all active generations of a parent who has revoked the consent to them."""
    await repository.lock_owner(uow.session, owner_id)
    for generation in await repository.lock_active_generations(uow.session, owner_id):
        await _cancel(uow, runtime.live, generation, CancellationReason.CONSENT_REVOKED)


async def _cancel(
    uow: UnitOfWork, live: LiveStreams, generation: Generation, reason: CancellationReason
) -> None:
    number = await find_next_sequence(live, generation)
    generation.lease += 1
    generation.status = GenerationStatus.CANCELLED
    generation.finished_at = uow.now
    await repository.skip_open_steps(uow.session, generation.id)
    event = record_event(uow, generation, number, "GenerationCancelled", {"reason": reason.value})
    announce_after_commit(uow, live, EVENT_ROWS.build_key(generation.id), event)
