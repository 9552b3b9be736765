"""The runner of a generation, which resumes where an earlier runner stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from prometheus_client import Counter

from subgraphs.ai import repository
from subgraphs.ai.models import (
    Generation,
    GenerationKind,
    GenerationStep,
    StepKind,
    StepStatus,
    build_picture_key,
)
from subgraphs.ai.pipeline.book_writer import BookWriter, StoredPicture
from subgraphs.ai.pipeline.journal import MAX_DELTAS_PER_STEP, Journal, Superseded
from subgraphs.ai.pipeline.request import GenerationRequest
from subgraphs.ai.pipeline.step_executor import (
    PictureNotStored,
    ProviderRequest,
    SendDelta,
    StepExecutor,
    StepResult,
    Story,
)
from subgraphs.ai.providers.ports import ContentRefused, Illustrator, ProviderFailed, Usage, Writer
from subgraphs.ai.providers.story import Outline, PictureRequest, SceneRequest, StoryBrief
from subgraphs.ai.states import GenerationStatus
from subgraphs.common.draining import Drained
from subgraphs.common.errors import DomainError
from subgraphs.common.runtime import Runtime
from subgraphs.common.telemetry import get_logger

STEPS = Counter("generation_steps_total", "Steps of generations by outcome.", ["kind", "outcome"])
GENERATIONS = Counter("generations_total", "Generations by how they ended.", ["kind", "status"])

_MAX_ATTEMPTS = 4
"""The attempts at a step in one run."""
_MAX_ATTEMPTS_OF_ALL_RUNS = 12
"""Runs end early when a process dies, or the store takes no pictures; each attempt costs money."""
_FIRST_BACKOFF_SECONDS = 0.5
_MAX_BACKOFF_SECONDS = 30.0
_CONCURRENT_PICTURES = 3
_SETTLED = frozenset({StepStatus.DONE, StepStatus.FAILED, StepStatus.SKIPPED})


async def run_generation(
    runtime: Runtime,
    writer: Writer,
    illustrator: Illustrator,
    books: BookWriter,
    generation_id: str,
    draining: asyncio.Event,
) -> None:
    """Run the steps of a generation that are not finished.

    It returns early when the generation is cancelled or another runner acquires it. When `draining` is set,
    it begins no further step, and raises Drained once those that are paid for are finished.
    """
    journal = await Journal.acquire(runtime, generation_id)
    if journal is None:
        return
    has_ended = True
    try:
        async with asyncio.TaskGroup() as tasks:
            watch = tasks.create_task(journal.watch())
            run = await Run.load(runtime, writer, illustrator, books, journal, generation_id, draining)
            has_ended = await run.execute()
            watch.cancel()
    except* Superseded:
        get_logger().info("Generation superseded", generation_id=generation_id)
    if not has_ended:
        raise Drained


class Run:
    """One run of a generation."""

    def __init__(
        self,
        journal: Journal,
        books: BookWriter,
        executor: StepExecutor,
        generation: Generation,
        steps: Sequence[GenerationStep],
        draining: asyncio.Event,
    ) -> None:
        self._draining = draining
        self._not_stored: PictureNotStored | None = None
        self._journal = journal
        self._books = books
        self._executor = executor
        self._generation = generation
        self._steps = steps
        self._max_lengths: Mapping[str, int] = {}
        self._drawing_slots = asyncio.Semaphore(_CONCURRENT_PICTURES)
        request = GenerationRequest.of(generation.request)
        self._story = Story(request.outline, dict(enumerate(request.story, start=1)))
        for step in steps:
            self._story.add(step)

    @classmethod
    async def load(
        cls,
        runtime: Runtime,
        writer: Writer,
        illustrator: Illustrator,
        books: BookWriter,
        journal: Journal,
        generation_id: str,
        draining: asyncio.Event,
    ) -> Run:
        """Load the steps, and announce the start in the first run."""
        async with journal.open_transaction() as transaction:
            generation = transaction.generation
            steps = await repository.load_steps_of_generations(transaction.session, [generation_id])
            if generation.last_sequence == 0:
                transaction.announce("GenerationStarted")
        request = GenerationRequest.of(generation.request)
        executor = StepExecutor(writer, illustrator, runtime.storage, request, generation.owner_id)
        return cls(journal, books, executor, generation, steps[generation_id], draining)

    async def execute(self) -> bool:
        """Deliver the finished steps, run the others, and close the generation; false when it was drained."""
        try:
            self._max_lengths = await self._books.get_max_lengths(self._generation.book_id)
        except DomainError as refusal:
            await self._close(GenerationStatus.FAILED, str(refusal))
            return True
        await self._settle_in_order(self._select_steps(StepKind.OUTLINE))
        if all(step.status is StepStatus.DONE for step in self._select_steps(StepKind.OUTLINE)):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._settle_in_order(self._select_steps(StepKind.SCENE_TEXT)))
                for step in self._select_steps(StepKind.COVER, StepKind.ILLUSTRATION):
                    tasks.create_task(self._draw(step))
        is_settled = all(step.status in _SETTLED for step in self._steps)
        if self._not_stored is not None and not is_settled:
            # The other steps are done; the next attempt at the job tries again what is missing.
            raise self._not_stored
        if self._draining.is_set() and not is_settled:
            return False
        await self._finish()
        return True

    def _select_steps(self, *kinds: StepKind) -> list[GenerationStep]:
        return [step for step in self._steps if step.kind in kinds]

    async def _settle_in_order(self, steps: Sequence[GenerationStep]) -> None:
        for step in steps:
            await self._settle(step)

    async def _draw(self, step: GenerationStep) -> None:
        async with self._drawing_slots:
            await self._settle(step)

    async def _settle(self, step: GenerationStep) -> None:
        """Run a step to its end: produced, delivered to the book and announced, or failed."""
        if step.status not in _SETTLED:
            await self._produce(step)
        if step.status is StepStatus.DONE:
            self._story.add(step)
            if step.announced_at is None:
                await self._deliver(step)
        if step.status in _SETTLED:
            STEPS.labels(step.kind, step.status.lower()).inc()

    async def _produce(self, step: GenerationStep) -> None:
        cautious = False
        for attempt in range(1, _MAX_ATTEMPTS + 1):
            if self._draining.is_set():
                return
            if step.attempts >= _MAX_ATTEMPTS_OF_ALL_RUNS:
                await self._fail(step, "The studio has tried this too often.", retrying=False)
                return
            request = self._executor.build_request(
                step, self._story, self._max_lengths.get(step.page_id or "", 0)
            )
            await self._begin(step, request.compute_digest())
            try:
                result = await self._execute(step, request, cautious=cautious)
            except ProviderFailed as failure:
                retrying = failure.retryable and attempt < _MAX_ATTEMPTS
                await self._fail(step, str(failure), retrying=retrying, usage=failure.usage)
                if not retrying:
                    return
                cautious = isinstance(failure, ContentRefused)
                with suppress(TimeoutError):
                    async with asyncio.timeout(_compute_backoff(failure, attempt)):
                        await self._draining.wait()
            except PictureNotStored as failure:
                await self._fail(step, str(failure), retrying=True)
                self._not_stored = failure
                return
            else:
                await self._complete(step, result)
                return

    async def _begin(self, step: GenerationStep, input_hash: str) -> None:
        """Record an attempt before the provider is called; Superseded when the generation was cancelled."""
        async with self._journal.open_transaction() as transaction:
            step.status, step.input_hash, step.failure = StepStatus.RUNNING, input_hash, None
            step.attempts += 1
            step.started_at = transaction.uow.now
            await repository.save_step(transaction.session, step)
            transaction.announce("StepStarted", step_id=step.id, page_id=step.page_id)

    async def _execute(self, step: GenerationStep, request: ProviderRequest, *, cautious: bool) -> StepResult:
        match request:
            case StoryBrief():
                return await self._executor.write_outline(request)
            case SceneRequest():
                return await self._executor.write_text(request, self._create_delta_sender(step))
            case PictureRequest():
                # A runner that has been superseded may still store its picture, under its own attempt.
                key = build_picture_key(step.id, step.attempts)
                return await self._executor.draw_picture(request, key, cautious=cautious)

    def _create_delta_sender(self, step: GenerationStep) -> SendDelta:
        """Create a function that sends the deltas of a step, up to a limit; the whole text follows later."""
        remaining = MAX_DELTAS_PER_STEP

        async def send(piece: str) -> None:
            nonlocal remaining
            remaining -= 1
            if remaining >= 0:
                await self._journal.send_delta("TextDelta", page_id=step.page_id, text=piece)

        return send

    async def _complete(self, step: GenerationStep, result: StepResult) -> None:
        async with self._journal.open_transaction() as transaction:
            step.status, step.result = StepStatus.DONE, result.data
            step.usage = [*step.usage, result.usage.as_json()]
            step.finished_at = transaction.uow.now
            await repository.save_step(transaction.session, step)

    async def _fail(
        self, step: GenerationStep, message: str, *, retrying: bool, usage: Usage | None = None
    ) -> None:
        async with self._journal.open_transaction() as transaction:
            step.status = StepStatus.PENDING if retrying else StepStatus.FAILED
            step.failure, step.finished_at = message, None if retrying else transaction.uow.now
            if usage is not None:
                step.usage = [*step.usage, usage.as_json()]
            await repository.save_step(transaction.session, step)
            transaction.announce("StepFailed", step_id=step.id, message=message, retrying=retrying)

    async def _deliver(self, step: GenerationStep) -> None:
        """Write a finished step into the book and announce it; idempotent."""
        try:
            kind, data = await self._write_result(step)
        except DomainError as refusal:
            await self._fail(step, str(refusal), retrying=False)
            return
        async with self._journal.open_transaction() as transaction:
            step.announced_at = transaction.uow.now
            await repository.save_step(transaction.session, step)
            transaction.announce(kind, **data)

    async def _write_result(self, step: GenerationStep) -> tuple[str, dict[str, Any]]:
        """Write the result of a step into the book; return the kind and the data of its event."""
        book_id, result = self._generation.book_id, step.result
        assert result is not None
        match step.kind:
            case StepKind.OUTLINE:
                outline = Outline.of(result)
                await self._books.put_outline(book_id, outline, step.id)
                return "OutlineWritten", {"title": outline.title}
            case StepKind.SCENE_TEXT:
                assert step.page_id is not None
                await self._books.put_text(step.page_id, result["text"], step.id)
                return "PageWritten", {"page_id": step.page_id}
            case StepKind.ILLUSTRATION | StepKind.COVER:
                illustration_id = await self._books.put_picture(
                    book_id, step.page_id, StoredPicture(**result), step.id
                )
                return "IllustrationReady", {"page_id": step.page_id, "illustration_id": illustration_id}

    async def _finish(self) -> None:
        status = _determine_status(self._steps)
        is_book = self._generation.kind is GenerationKind.BOOK
        if is_book and status is not GenerationStatus.FAILED:
            await self._books.finish(self._generation.book_id, self._generation.id)
        failures = (step.failure for step in self._steps if step.status is StepStatus.FAILED)
        await self._close(status, next(failures, None))

    async def _close(self, status: GenerationStatus, failure: str | None) -> None:
        async with self._journal.open_transaction() as transaction:
            transaction.generation.status, transaction.generation.failure = status, failure
            transaction.generation.finished_at = transaction.uow.now
            await repository.skip_open_steps(transaction.session, self._generation.id)
            if status is GenerationStatus.FAILED:
                transaction.announce("GenerationFailed", message=failure)
            else:
                transaction.announce("GenerationCompleted")
        GENERATIONS.labels(self._generation.kind, status.lower()).inc()


def _determine_status(steps: Sequence[GenerationStep]) -> GenerationStatus:
    """Determine the final status: whether all steps, some or none that a book can use are done."""
    results = [step for step in steps if step.kind is not StepKind.OUTLINE]
    done = sum(step.status is StepStatus.DONE for step in results)
    if done == len(results):
        return GenerationStatus.COMPLETED
    return GenerationStatus.PARTIAL if done else GenerationStatus.FAILED


def _compute_backoff(failure: ProviderFailed, attempt: int) -> float:
    """Compute the seconds before the next attempt: what the provider asks for, or exponential backoff."""
    seconds = failure.retry_after or _FIRST_BACKOFF_SECONDS * 2 ** (attempt - 1)
    return min(seconds, _MAX_BACKOFF_SECONDS)
