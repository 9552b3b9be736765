"""A generation run by real worker processes."""

import asyncio
from contextlib import aclosing

from arq.connections import ArqRedis

from subgraphs.ai import service
from subgraphs.ai.models import GenerationStatus, StepKind, StepStatus
from subgraphs.books.models import BookStatus
from tests.workers import pipeline
from workers.platform import Platform

ALL_STEPS = 1 + 14 + 14 + 1


async def test_a_book_is_written_and_illustrated_as_it_is_watched(
    platform: Platform, queue: ArqRedis, environ: dict[str, str]
) -> None:
    ordered = await pipeline.order_book(platform, name="Mia <b>&</b>")
    async with pipeline.worker_process(environ, OFFLINE_WORDS_PER_SECOND="400"):
        generation_id = await pipeline.queue_book(platform, ordered)
        async with asyncio.timeout(90), aclosing(pipeline.events(platform, generation_id)) as events:
            seen = [event async for event in events]

    assert [event.sequence for event in seen] == list(range(1, len(seen) + 1))
    counted = pipeline.kinds(seen)
    assert counted.pop("TextDelta") > 300
    assert counted == {
        "GenerationStarted": 1,
        "StepStarted": ALL_STEPS,
        "OutlineWritten": 1,
        "PageWritten": 14,
        "IllustrationReady": 15,
        "GenerationCompleted": 1,
    }
    generation = await pipeline.generation_of(platform, generation_id)
    assert generation.status is GenerationStatus.COMPLETED
    assert generation.last_sequence == seen[-1].sequence

    texts = pipeline.streamed_texts(seen)
    written = {page.id: page for page in await pipeline.pages(platform, ordered.book_id)}
    assert {id: written[id].text for id in texts} == texts
    assert "Mia <b>&</b>" in written[ordered.page_ids[4]].text
    assert all(written[ordered.page_ids[number]].illustration_id for number in range(5, 32, 2))
    book = await pipeline.book(platform, ordered.book_id)
    assert book.status is BookStatus.READY
    assert "Mia" in book.title
    assert book.cover_illustration_id is not None


async def test_a_book_survives_the_kill_of_its_worker_and_no_finished_step_is_done_again(
    platform: Platform, queue: ArqRedis, environ: dict[str, str]
) -> None:
    ordered = await pipeline.order_book(platform)
    generation_id = await pipeline.queue_book(platform, ordered)

    async def half_way() -> bool:
        done = [
            step.kind
            for step in await pipeline.steps_of(platform, generation_id)
            if step.announced_at is not None
        ]
        return done.count(StepKind.SCENE_TEXT) >= 5 and done.count(StepKind.ILLUSTRATION) >= 2

    async with pipeline.worker_process(environ, OFFLINE_WORDS_PER_SECOND="80") as first:
        await pipeline.until(half_way)
        first.kill()
        await first.wait()
    before = {step.id: step for step in await pipeline.steps_of(platform, generation_id)}
    finished = {id for id, step in before.items() if step.status is StepStatus.DONE}
    assert 8 <= len(finished) < ALL_STEPS

    async with (
        pipeline.worker_process(environ, OFFLINE_WORDS_PER_SECOND="400"),
        asyncio.timeout(90),
        aclosing(pipeline.events(platform, generation_id)) as events,
    ):
        seen = [event async for event in events]

    assert seen[-1].kind == "GenerationCompleted"
    after = {step.id: step for step in await pipeline.steps_of(platform, generation_id)}
    assert {step.status for step in after.values()} == {StepStatus.DONE}
    for id in finished:
        assert (after[id].attempts, after[id].started_at) == (before[id].attempts, before[id].started_at)
        assert after[id].result == before[id].result
    assert {after[id].attempts for id in set(after) - finished} <= {1, 2}
    assert all(step.announced_at for step in after.values())

    numbers = [event.sequence for event in seen]
    assert numbers == sorted(set(numbers))
    counted = pipeline.kinds(seen)
    assert (counted["GenerationStarted"], counted["OutlineWritten"]) == (1, 1)
    assert (counted["PageWritten"], counted["IllustrationReady"]) == (14, 15)
    written = {page.id: page for page in await pipeline.pages(platform, ordered.book_id)}
    texts = pipeline.streamed_texts(seen)
    assert {id: written[id].text for id in texts} == texts
    assert {written[id].version for id in texts} == {1 + (await _first_version(platform, ordered))}
    assert (await pipeline.book(platform, ordered.book_id)).status is BookStatus.READY


async def test_a_reader_who_comes_back_again_and_again_misses_nothing(
    platform: Platform, queue: ArqRedis, environ: dict[str, str]
) -> None:
    ordered = await pipeline.order_book(platform)
    generation_id = await pipeline.queue_book(platform, ordered)
    numbers: list[int] = []
    ended = False
    async with pipeline.worker_process(environ, OFFLINE_WORDS_PER_SECOND="300"), asyncio.timeout(90):
        while not ended:
            after = numbers[-1] if numbers else 0
            async with aclosing(pipeline.events(platform, generation_id, after)) as events:
                async for event in events:
                    numbers.append(event.sequence)
                    ended = event.kind in pipeline.TERMINAL
                    if len(numbers) % 17 == 0:
                        break
    assert numbers == list(range(1, len(numbers) + 1))


async def test_when_the_stream_is_lost_the_rows_give_the_same_numbers(
    platform: Platform, queue: ArqRedis, environ: dict[str, str]
) -> None:
    ordered = await pipeline.order_book(platform)
    generation_id = await pipeline.queue_book(platform, ordered)
    async with (
        pipeline.worker_process(environ, OFFLINE_WORDS_PER_SECOND="400"),
        asyncio.timeout(90),
        aclosing(pipeline.events(platform, generation_id)) as events,
    ):
        seen = [event async for event in events]
    await platform.ai.redis.delete(f"live:generation:{generation_id}")
    async with asyncio.timeout(30), aclosing(pipeline.events(platform, generation_id)) as events:
        rebuilt = [event async for event in events]
    assert rebuilt == [event for event in seen if event.kind != "TextDelta"]


async def test_a_cancelled_generation_stops_and_keeps_what_is_written(
    platform: Platform, queue: ArqRedis, environ: dict[str, str]
) -> None:
    ordered = await pipeline.order_book(platform)
    generation_id = await pipeline.queue_book(platform, ordered)

    async def some_pages() -> bool:
        return pipeline.kinds(await pipeline.durable_events(platform, generation_id))["PageWritten"] >= 2

    async with pipeline.worker_process(environ, OFFLINE_WORDS_PER_SECOND="60"):
        await pipeline.until(some_pages)
        cancelled = await service.cancel_generation(platform.ai, ordered.parent, generation_id)
        assert cancelled.status is GenerationStatus.CANCELLED
        acknowledged = await pipeline.steps_of(platform, generation_id)
        async with asyncio.timeout(30), aclosing(pipeline.events(platform, generation_id)) as events:
            seen = [event async for event in events]
        await asyncio.sleep(1.5)

    assert seen[-1].kind == "GenerationCancelled"
    later = await pipeline.steps_of(platform, generation_id)
    assert [(step.attempts, step.status) for step in later] == [
        (step.attempts, step.status) for step in acknowledged
    ]
    assert {step.status for step in later} == {StepStatus.DONE, StepStatus.SKIPPED}
    assert (await pipeline.generation_of(platform, generation_id)).status is GenerationStatus.CANCELLED
    assert (await pipeline.durable_events(platform, generation_id))[-1].kind == "GenerationCancelled"
    written = [page for page in await pipeline.pages(platform, ordered.book_id) if page.text]
    assert len(written) >= 4
    assert (await pipeline.book(platform, ordered.book_id)).status is BookStatus.DRAFT


async def _first_version(platform: Platform, ordered: pipeline.Ordered) -> int:
    """The version of a page that no generation has touched."""
    untouched = next(
        page for page in await pipeline.pages(platform, ordered.book_id) if page.id == ordered.page_ids[2]
    )
    return untouched.version
