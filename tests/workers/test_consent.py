"""When a parent revokes the consent to the use of AI, their generations stop."""

from arq.connections import ArqRedis
from sqlalchemy import select, update

from subgraphs.ai.jobs import GenerateBook
from subgraphs.ai.models import StepStatus
from subgraphs.ai.states import GenerationStatus
from subgraphs.auth import service as auth
from subgraphs.auth.events import ConsentRevoked
from subgraphs.auth.models import Consent
from subgraphs.common.consent import ConsentPurpose
from tests.workers import generation_runs
from tests.workers.harness import deliver_event, run_worker_process, wait_until
from workers.ai import generate_book
from workers.platform import Platform
from workers.registry import load_tasks

load_tasks()


async def revoke_consents(platform: Platform, user_id: str) -> None:
    """Revoke all consents of a parent without an event."""
    async with platform.auth.unit_of_work() as uow:
        await uow.session.execute(
            update(Consent).where(Consent.user_id == user_id).values(revoked_at=uow.now)
        )


async def list_consents(platform: Platform, user_id: str) -> list[Consent]:
    async with platform.auth.database.read() as session:
        return list(await session.scalars(select(Consent).where(Consent.user_id == user_id)))


async def read_status(platform: Platform, generation_id: str) -> GenerationStatus:
    return (await generation_runs.read_generation(platform, generation_id)).status


async def test_the_parents_waiting_generations_are_cancelled_and_no_others(platform: Platform) -> None:
    draft = await generation_runs.create_draft_book(platform)
    mine = await generation_runs.queue_book(platform, draft)
    other = await generation_runs.queue_book(platform, await generation_runs.create_draft_book(platform))
    await revoke_consents(platform, draft.parent.user_id)
    for number, purpose in enumerate(["CHILD_PROFILE", "AI_PROCESSING", "AI_PROCESSING"]):
        event = ConsentRevoked("con_1", draft.parent.user_id, purpose)
        await deliver_event(platform, event, "ai.stop_generations", f"msg_{number}_{mine}")
        if purpose == "CHILD_PROFILE":
            assert await read_status(platform, mine) is GenerationStatus.QUEUED
    assert await read_status(platform, mine) is GenerationStatus.CANCELLED
    assert await read_status(platform, other) is GenerationStatus.QUEUED
    [stored] = await generation_runs.read_durable_events(platform, mine)
    assert (stored.kind, stored.data) == ("GenerationCancelled", {"reason": "CONSENT_REVOKED"})


async def test_a_revocation_cancels_nothing_while_the_parent_consents_to_another_version(
    platform: Platform,
) -> None:
    draft = await generation_runs.create_draft_book(platform)
    generation_id = await generation_runs.queue_book(platform, draft)
    [old] = await list_consents(platform, draft.parent.user_id)
    await auth.record_consent(platform.auth, draft.parent, ConsentPurpose.AI_PROCESSING, "2026-12")
    await auth.revoke_consent(platform.auth, draft.parent, old.id)
    event = ConsentRevoked(old.id, draft.parent.user_id, "AI_PROCESSING")
    await deliver_event(platform, event, "ai.stop_generations", f"msg_{generation_id}")
    assert await read_status(platform, generation_id) is GenerationStatus.QUEUED


async def test_a_running_generation_stops_when_the_event_is_published(
    platform: Platform, queue: ArqRedis, environ: dict[str, str]
) -> None:
    draft = await generation_runs.create_draft_book(platform)
    generation_id = await generation_runs.queue_book(platform, draft)

    async def has_a_page() -> bool:
        events = await generation_runs.read_durable_events(platform, generation_id)
        return generation_runs.count_kinds(events)["PageWritten"] >= 1

    async def is_cancelled() -> bool:
        return await read_status(platform, generation_id) is GenerationStatus.CANCELLED

    async with run_worker_process(environ, OFFLINE_WORDS_PER_SECOND="60"):
        await wait_until(has_a_page)
        [consent] = await list_consents(platform, draft.parent.user_id)
        await auth.revoke_consent(platform.auth, draft.parent, consent.id)
        await wait_until(is_cancelled, seconds=10)
        steps = await generation_runs.read_steps(platform, generation_id)
        assert [step for step in steps if step.status is not StepStatus.DONE]
    events = await generation_runs.read_durable_events(platform, generation_id)
    assert (events[-1].kind, events[-1].data) == ("GenerationCancelled", {"reason": "CONSENT_REVOKED"})


async def test_a_generation_that_is_queued_after_the_consent_was_revoked_calls_no_provider(
    platform: Platform,
) -> None:
    """The event came while the request for the generation had passed its check, but not yet stored it."""
    draft = await generation_runs.create_draft_book(platform)
    await revoke_consents(platform, draft.parent.user_id)
    generation_id = await generation_runs.queue_book(platform, draft)
    await generate_book(platform, GenerateBook(generation_id))
    assert await read_status(platform, generation_id) is GenerationStatus.CANCELLED
    [event] = await generation_runs.read_durable_events(platform, generation_id)
    assert (event.kind, event.data) == ("GenerationCancelled", {"reason": "CONSENT_REVOKED"})
    assert {step.attempts for step in await generation_runs.read_steps(platform, generation_id)} == {0}
