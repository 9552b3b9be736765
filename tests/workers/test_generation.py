"""Generations run by worker processes."""

import asyncio
import signal
from contextlib import aclosing

from arq.connections import ArqRedis

from subgraphs.ai import service
from subgraphs.ai.models import StepKind, StepStatus
from subgraphs.ai.states import GenerationStatus
from subgraphs.books.models import BookStatus
from subgraphs.common.deliveries import LEASE, DeliveryState
from tests.workers import generation_runs
from tests.workers.harness import read_deliveries, run_worker_process, wait_until
from workers.platform import Platform

ALL_STEPS = 1 + 14 + 14 + 1


async def test_a_book_is_generated_while_its_events_are_streamed(
    platform: Platform, queue: ArqRedis, environ: dict[str, str]
) -> None:
    draft = await generation_runs.create_draft_book(platform, name="Mia <b>&</b>")
    async with run_worker_process(environ, OFFLINE_WORDS_PER_SECOND="400"):
        generation_id = await generation_runs.queue_book(platform, draft)
        async with (
            asyncio.timeout(90),
            aclosing(generation_runs.follow_events(platform, generation_id)) as events,
        ):
            seen = [event async for event in events]

    assert [event.sequence for event in seen] == list(range(1, len(seen) + 1))
    counts = generation_runs.count_kinds(seen)
    assert counts.pop("TextDelta") > 300
    assert counts == {
        "GenerationStarted": 1,
        "StepStarted": ALL_STEPS,
        "OutlineWritten": 1,
        "PageWritten": 14,
        "IllustrationReady": 15,
        "GenerationCompleted": 1,
    }
    generation = await generation_runs.read_generation(platform, generation_id)
    assert generation.status is GenerationStatus.COMPLETED
    assert generation.last_sequence == seen[-1].sequence

    texts = generation_runs.join_text_deltas(seen)
    written = {page.id: page for page in await generation_runs.read_pages(platform, draft.book_id)}
    assert {id: written[id].text for id in texts} == texts
    assert "Mia <b>&</b>" in written[draft.page_ids[4]].text
    assert all(written[draft.page_ids[number]].illustration_id for number in range(5, 32, 2))
    book = await generation_runs.read_book(platform, draft.book_id)
    assert book.status is BookStatus.READY
    assert "Mia" in book.title
    assert book.cover_illustration_id is not None


async def test_the_generation_of_a_killed_worker_is_resumed_without_repeating_finished_steps(
    platform: Platform, queue: ArqRedis, environ: dict[str, str]
) -> None:
    draft = await generation_runs.create_draft_book(platform)
    generation_id = await generation_runs.queue_book(platform, draft)

    async def is_half_done() -> bool:
        done = [
            step.kind
            for step in await generation_runs.read_steps(platform, generation_id)
            if step.announced_at is not None
        ]
        return done.count(StepKind.SCENE_TEXT) >= 5 and done.count(StepKind.ILLUSTRATION) >= 2

    async with run_worker_process(environ, OFFLINE_WORDS_PER_SECOND="80") as first:
        await wait_until(is_half_done)
        first.kill()
        await first.wait()
    before = {step.id: step for step in await generation_runs.read_steps(platform, generation_id)}
    finished = {id for id, step in before.items() if step.status is StepStatus.DONE}
    assert 8 <= len(finished) < ALL_STEPS

    async with (
        run_worker_process(environ, OFFLINE_WORDS_PER_SECOND="400"),
        asyncio.timeout(90),
        aclosing(generation_runs.follow_events(platform, generation_id)) as events,
    ):
        seen = [event async for event in events]

    assert seen[-1].kind == "GenerationCompleted"
    after = {step.id: step for step in await generation_runs.read_steps(platform, generation_id)}
    assert {step.status for step in after.values()} == {StepStatus.DONE}
    for id in finished:
        assert (after[id].attempts, after[id].started_at) == (before[id].attempts, before[id].started_at)
        assert after[id].result == before[id].result
    assert {after[id].attempts for id in set(after) - finished} <= {1, 2}
    assert all(step.announced_at for step in after.values())

    numbers = [event.sequence for event in seen]
    assert numbers == sorted(set(numbers))
    counts = generation_runs.count_kinds(seen)
    assert (counts["GenerationStarted"], counts["OutlineWritten"]) == (1, 1)
    assert (counts["PageWritten"], counts["IllustrationReady"]) == (14, 15)
    written = {page.id: page for page in await generation_runs.read_pages(platform, draft.book_id)}
    texts = generation_runs.join_text_deltas(seen)
    assert {id: written[id].text for id in texts} == texts
    assert {written[id].version for id in texts} == {1 + (await read_first_version(platform, draft))}
    assert (await generation_runs.read_book(platform, draft.book_id)).status is BookStatus.READY


async def test_a_worker_that_is_terminated_finishes_the_steps_it_has_begun_and_none_is_repeated(
    platform: Platform, queue: ArqRedis, environ: dict[str, str]
) -> None:
    draft = await generation_runs.create_draft_book(platform)
    generation_id = await generation_runs.queue_book(platform, draft)

    async def read_begun() -> dict[str, StepStatus]:
        steps = await generation_runs.read_steps(platform, generation_id)
        return {step.id: step.status for step in steps if step.attempts}

    async def is_half_done() -> bool:
        begun = list((await read_begun()).values())
        return begun.count(StepStatus.DONE) >= 8 and StepStatus.RUNNING in begun

    async def is_completed() -> bool:
        generation = await generation_runs.read_generation(platform, generation_id)
        return generation.status is GenerationStatus.COMPLETED

    async with run_worker_process(environ, OFFLINE_WORDS_PER_SECOND="80") as first:
        await wait_until(is_half_done)
        first.terminate()
        assert await first.wait() == 0
    begun = await read_begun()
    assert 8 <= len(begun) < ALL_STEPS
    assert set(begun.values()) == {StepStatus.DONE}

    async with run_worker_process(environ, OFFLINE_WORDS_PER_SECOND="400"):
        await wait_until(is_completed)
    steps = await generation_runs.read_steps(platform, generation_id)
    assert [step.attempts for step in steps] == [1] * ALL_STEPS


async def test_a_book_whose_only_worker_was_paused_for_longer_than_its_lease_is_finished(
    platform: Platform, queue: ArqRedis, environ: dict[str, str]
) -> None:
    draft = await generation_runs.create_draft_book(platform)
    generation_id = await generation_runs.queue_book(platform, draft)

    async def has_begun() -> bool:
        steps = await generation_runs.read_steps(platform, generation_id)
        return sum(step.status is StepStatus.DONE for step in steps) >= 3

    async def is_done() -> bool:
        found = await read_deliveries(platform, "ai")
        return [each.state for each in found if each.destination == "ai.GenerateBook"] == [DeliveryState.DONE]

    async with run_worker_process(environ, OFFLINE_WORDS_PER_SECOND="80") as process:
        await wait_until(has_begun)
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(LEASE.total_seconds() + 2)
        process.send_signal(signal.SIGCONT)
        await wait_until(is_done)
    generation = await generation_runs.read_generation(platform, generation_id)
    assert generation.status is GenerationStatus.COMPLETED
    steps = await generation_runs.read_steps(platform, generation_id)
    assert {step.status for step in steps} == {StepStatus.DONE}
    # A command that was under way in the pause has failed, and its step with it.
    assert max(step.attempts for step in steps) <= 2


async def test_a_subscriber_that_reconnects_repeatedly_misses_no_event(
    platform: Platform, queue: ArqRedis, environ: dict[str, str]
) -> None:
    draft = await generation_runs.create_draft_book(platform)
    generation_id = await generation_runs.queue_book(platform, draft)
    numbers: list[int] = []
    ended = False
    async with run_worker_process(environ, OFFLINE_WORDS_PER_SECOND="300"), asyncio.timeout(90):
        while not ended:
            after = numbers[-1] if numbers else 0
            async with aclosing(generation_runs.follow_events(platform, generation_id, after)) as events:
                async for event in events:
                    numbers.append(event.sequence)
                    ended = event.kind in generation_runs.TERMINAL
                    if len(numbers) % 17 == 0:
                        break
    assert numbers == list(range(1, len(numbers) + 1))


async def test_events_rebuilt_from_rows_keep_their_sequence_numbers(
    platform: Platform, queue: ArqRedis, environ: dict[str, str]
) -> None:
    draft = await generation_runs.create_draft_book(platform)
    generation_id = await generation_runs.queue_book(platform, draft)
    async with (
        run_worker_process(environ, OFFLINE_WORDS_PER_SECOND="400"),
        asyncio.timeout(90),
        aclosing(generation_runs.follow_events(platform, generation_id)) as events,
    ):
        seen = [event async for event in events]
    await platform.ai.redis.delete(f"live:generation:{generation_id}")
    async with (
        asyncio.timeout(30),
        aclosing(generation_runs.follow_events(platform, generation_id)) as events,
    ):
        rebuilt = [event async for event in events]
    assert rebuilt == [event for event in seen if event.kind != "TextDelta"]


async def test_a_cancelled_generation_stops_and_keeps_finished_pages(
    platform: Platform, queue: ArqRedis, environ: dict[str, str]
) -> None:
    draft = await generation_runs.create_draft_book(platform)
    generation_id = await generation_runs.queue_book(platform, draft)

    async def has_two_pages() -> bool:
        return (
            generation_runs.count_kinds(await generation_runs.read_durable_events(platform, generation_id))[
                "PageWritten"
            ]
            >= 2
        )

    async with run_worker_process(environ, OFFLINE_WORDS_PER_SECOND="60"):
        await wait_until(has_two_pages)
        cancelled = await service.cancel_generation(platform.ai, draft.parent, generation_id)
        assert cancelled.status is GenerationStatus.CANCELLED
        acknowledged = await generation_runs.read_steps(platform, generation_id)
        async with (
            asyncio.timeout(30),
            aclosing(generation_runs.follow_events(platform, generation_id)) as events,
        ):
            seen = [event async for event in events]
        await asyncio.sleep(1.5)

    assert seen[-1].kind == "GenerationCancelled"
    later = await generation_runs.read_steps(platform, generation_id)
    assert [(step.attempts, step.status) for step in later] == [
        (step.attempts, step.status) for step in acknowledged
    ]
    assert {step.status for step in later} == {StepStatus.DONE, StepStatus.SKIPPED}
    assert (
        await generation_runs.read_generation(platform, generation_id)
    ).status is GenerationStatus.CANCELLED
    assert (await generation_runs.read_durable_events(platform, generation_id))[
        -1
    ].kind == "GenerationCancelled"
    written = [page for page in await generation_runs.read_pages(platform, draft.book_id) if page.text]
    assert len(written) >= 4
    assert (await generation_runs.read_book(platform, draft.book_id)).status is BookStatus.DRAFT


async def read_first_version(platform: Platform, draft: generation_runs.DraftBook) -> int:
    """The version of a page that no generation writes to."""
    untouched = next(
        page
        for page in await generation_runs.read_pages(platform, draft.book_id)
        if page.id == draft.page_ids[2]
    )
    return untouched.version
