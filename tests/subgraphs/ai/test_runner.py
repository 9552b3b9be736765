"""Running a generation: its steps, their retries and the events that subscribers receive."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from subgraphs.ai import repository
from subgraphs.ai.models import GenerationStep, StepKind, StepStatus, build_picture_key
from subgraphs.ai.pipeline import journal, step_executor
from subgraphs.ai.pipeline.journal import HEADROOM, Journal, Superseded
from subgraphs.ai.pipeline.runner import run_generation
from subgraphs.ai.pipeline.step_executor import PictureNotStored
from subgraphs.ai.providers.ports import ContentRefused, Picture, ProviderFailed, Usage, WrittenOutline
from subgraphs.ai.providers.story import Outline, PictureRequest
from subgraphs.common.draining import Drained
from subgraphs.common.errors import Conflict, NotFound
from subgraphs.common.ids import new_id
from subgraphs.common.runtime import Runtime
from tests.subgraphs.ai.library import CANCEL, FakeBookWriter, Parent, run
from tests.support.graph import FakeGraph
from tests.support.studio import RecordingStudio
from tests.support.subgraph import SubgraphClient, run_subgraph
from tests.support.waiting import wait_until


class Killed(BaseException):
    """The process of the runner dies."""


def build_fault(kind: str, times: int, error: Callable[[], Exception]) -> Callable[[str, int], None]:
    """Builds a fault that raises in the first calls of a kind."""
    left = times

    def fault(called: str, _: int) -> None:
        nonlocal left
        if called == kind and left > 0:
            left -= 1
            raise error()

    return fault


async def start(parent: Parent) -> tuple[str, str]:
    """Queue a book; return its id and that of the generation."""
    book_id = new_id("book")
    return book_id, (await parent.generate(book_id))["id"]


async def test_subscribers_receive_all_events_in_order_up_to_the_end(
    ai: SubgraphClient, parent: Parent
) -> None:
    book_id, generation_id = await start(parent)
    books = FakeBookWriter()
    watching = asyncio.create_task(parent.watch(generation_id))
    await run(ai, RecordingStudio(), books, generation_id)
    async with asyncio.timeout(60):
        seen = await watching
    assert [event["sequence"] for event in seen] == list(range(1, len(seen) + 1))
    assert seen[0]["__typename"] == "GenerationStarted"
    outline = next(event for event in seen if event["__typename"] == "OutlineWritten")
    assert outline["book"] == {"id": book_id}
    assert books.outline is not None
    assert outline["title"] == books.outline.title
    text = "".join(
        event["text"]
        for event in seen
        if event["__typename"] == "TextDelta" and event["page"] == {"id": f"{book_id}-8", "number": 8}
    )
    assert text == books.texts[f"{book_id}-8"]
    pages = [event["page"] for event in seen if event.get("page")]
    assert [page["id"] for page in pages] == [f"{book_id}-{page['number']}" for page in pages]
    assert {page["number"] for page in pages} == set(range(4, 32))
    pictures = [event for event in seen if event["__typename"] == "IllustrationReady"]
    assert sum(event["page"] is None for event in pictures) == 1
    assert len({event["illustration"]["id"] for event in pictures}) == 15
    assert seen[-1] == {
        "__typename": "GenerationCompleted",
        "sequence": len(seen),
        "at": seen[-1]["at"],
        "generation": {"id": generation_id, "status": "COMPLETED", "stepsDone": 30},
        "book": {"id": book_id},
    }
    again = await parent.watch(generation_id, after=len(seen) - 3)
    expected = [(event["__typename"], event["sequence"], event.get("page")) for event in seen[-3:]]
    assert [(event["__typename"], event["sequence"], event.get("page")) for event in again] == expected
    assert await parent.watch(generation_id, after=len(seen)) == []


async def test_a_stranger_receives_no_events(ai: SubgraphClient, parent: Parent, stranger: Parent) -> None:
    _, generation_id = await start(parent)
    query = "subscription ($id: ID!) { generation(id: $id) { sequence } }"
    answers = [answer async for answer in ai.subscribe(query, {"id": generation_id}, stranger.token)]
    assert [answer.code for answer in answers] == ["NOT_FOUND"]
    answers = [answer async for answer in ai.subscribe(query, {"id": generation_id})]
    assert [answer.code for answer in answers] == ["UNAUTHENTICATED"]


async def test_a_negative_cursor_is_refused(ai: SubgraphClient, parent: Parent) -> None:
    _, generation_id = await start(parent)
    query = "subscription ($id: ID!) { generation(id: $id, after: -1) { sequence } }"
    answers = [answer async for answer in ai.subscribe(query, {"id": generation_id}, parent.token)]
    assert [(answer.code, answer.field) for answer in answers] == [("BAD_USER_INPUT", "after")]


async def test_a_second_runner_does_not_repeat_finished_steps(ai: SubgraphClient, parent: Parent) -> None:
    _, generation_id = await start(parent)

    def die(_: str, call: int) -> None:
        if call == 12:
            raise Killed

    first, second, books = RecordingStudio(die), RecordingStudio(), FakeBookWriter()
    with pytest.raises(BaseExceptionGroup) as death:
        await run(ai, first, books, generation_id)
    assert death.group_contains(Killed)
    done = {
        (step.kind, step.scene)
        for step in await _read_steps(ai.runtime, generation_id)
        if step.status == "DONE"
    }
    await run(ai, second, books, generation_id)
    names = {"outline": "OUTLINE", "scene": "SCENE_TEXT"}
    repeated = {
        (names.get(kind) or ("ILLUSTRATION" if number else "COVER"), number) for kind, number in second.calls
    }
    assert done
    assert not done & repeated
    assert len(second.calls) == 30 - len(done)
    events = await parent.watch(generation_id)
    assert events[-1]["generation"]["status"] == "COMPLETED"
    numbers = [event["sequence"] for event in events]
    assert numbers == sorted(set(numbers))
    assert max(after - before for before, after in pairwise(numbers)) == HEADROOM + 1


async def test_a_saved_but_undelivered_result_is_delivered_and_announced(
    ai: SubgraphClient, parent: Parent
) -> None:
    _, generation_id = await start(parent)

    class UndeliverableBook(FakeBookWriter):
        async def put_text(self, page_id: str, text: str, key: str) -> None:
            raise Killed

    with pytest.raises(BaseExceptionGroup):
        await run(ai, RecordingStudio(), UndeliverableBook(), generation_id)
    saved = next(step for step in await _read_steps(ai.runtime, generation_id) if step.kind == "SCENE_TEXT")
    assert (saved.status, saved.announced_at) == ("DONE", None)
    assert saved.result is not None
    books, studio = FakeBookWriter(), RecordingStudio()
    await run(ai, studio, books, generation_id)
    assert ("scene", 1) not in studio.calls
    assert books.texts[str(saved.page_id)] == saved.result["text"]
    written = [event for event in await parent.watch(generation_id) if event["__typename"] == "PageWritten"]
    assert len(written) == 14


async def test_running_an_ended_generation_does_nothing(ai: SubgraphClient, parent: Parent) -> None:
    _, generation_id = await start(parent)
    await run(ai, RecordingStudio(), FakeBookWriter(), generation_id)
    again, books = RecordingStudio(), FakeBookWriter()
    await run(ai, again, books, generation_id)
    assert (again.calls, books.put) == ([], [])


async def test_two_runners_never_both_write(ai: SubgraphClient, parent: Parent) -> None:
    _, generation_id = await start(parent)
    first = await Journal.acquire(ai.runtime, generation_id)
    second = await Journal.acquire(ai.runtime, generation_id)
    assert first is not None
    assert second is not None
    async with second.open_transaction() as entry:
        entry.announce("GenerationStarted")
    with pytest.raises(Superseded):
        async with first.open_transaction():
            pytest.fail("the first runner has lost its lease")
    with pytest.raises(Superseded):
        await first.send_delta("TextDelta", page_id="page_x", text="late")


async def test_a_superseded_runner_that_stores_its_picture_late_changes_none_of_its_successors(
    ai: SubgraphClient, parent: Parent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_WATCH_SECONDS", 3600)  # as if it were paused
    _, generation_id = await start(parent)
    drawing: list[PictureRequest] = []
    is_writing, may_store = asyncio.Event(), asyncio.Event()

    class Paused(RecordingStudio):
        async def draw(self, request: PictureRequest, *, author: str) -> Picture:
            drawn = await super().draw(request, author=author)
            drawing.append(request)
            await may_store.wait()
            return replace(drawn, png=b"late")

        async def write_scene(self, request: Any, *, author: str) -> Any:
            is_writing.set()
            await asyncio.Event().wait()
            yield ""

    late, books, successor = Paused(), FakeBookWriter(), RecordingStudio()
    superseded = asyncio.create_task(run(ai, late, FakeBookWriter(), generation_id))
    # A step that has yet to begin would end the superseded run before its picture is stored.
    await is_writing.wait()
    await wait_until(lambda: len(drawing) == 3)
    await run(ai, successor, books, generation_id)
    may_store.set()
    async with asyncio.timeout(60):
        await superseded
    assert len(books.pictures) == 15
    for picture in books.pictures.values():
        stored = await ai.runtime.storage.get(picture.storage_key)
        assert hashlib.sha256(stored).hexdigest() == picture.sha256
    assert (await parent.read(generation_id))["status"] == "COMPLETED"
    keys = [build_picture_key(step.id, 1) for step in await _read_steps(ai.runtime, generation_id)]
    assert b"late" in [await read_stored(ai.runtime, key) for key in keys]


async def test_a_step_that_fails_twice_is_retried(ai: SubgraphClient, parent: Parent) -> None:
    _, generation_id = await start(parent)
    fault = build_fault("outline", 2, lambda: ProviderFailed("Busy.", retryable=True, retry_after=0.01))
    studio = RecordingStudio(fault)
    await run(ai, studio, FakeBookWriter(), generation_id)
    assert studio.calls[:3] == [("outline", None)] * 3
    failures = [event for event in await parent.watch(generation_id) if event["__typename"] == "StepFailed"]
    assert [(event["message"], event["retrying"]) for event in failures] == [("Busy.", True)] * 2
    read = await parent.read(generation_id)
    assert (read["status"], read["steps"][0]["attempts"]) == ("COMPLETED", 3)


async def test_a_step_keeps_what_each_answered_call_used(ai: SubgraphClient, parent: Parent) -> None:
    _, generation_id = await start(parent)

    class Verbose(RecordingStudio):
        async def write_outline(self, brief: Any, *, author: str) -> WrittenOutline:
            written = await super().write_outline(brief, author=author)
            if len(self.calls) == 2:
                return WrittenOutline(replace(written.outline, title="x" * 81), Usage("offline", "draft"))
            return written

    busy = build_fault("outline", 1, lambda: ProviderFailed("Busy.", retryable=True, retry_after=0.01))
    await run(ai, Verbose(busy), FakeBookWriter(), generation_id)
    steps = await _read_steps(ai.runtime, generation_id)
    assert steps[0].attempts == 3
    assert steps[0].usage == [Usage("offline", "draft").as_json(), Usage("offline").as_json()]
    for step in steps[1:]:
        images = int(step.kind in {StepKind.COVER, StepKind.ILLUSTRATION})
        assert step.usage == [Usage("offline", images=images).as_json()]


async def test_a_picture_that_keeps_failing_leaves_the_rest_of_the_book(
    ai: SubgraphClient, parent: Parent
) -> None:
    _, generation_id = await start(parent)

    class WithoutFive(RecordingStudio):
        async def draw(self, request: PictureRequest, *, author: str) -> Picture:
            if request.number == 5:
                raise ProviderFailed("It will not be drawn.", retryable=False)
            return await super().draw(request, author=author)

    books = FakeBookWriter()
    await run(ai, WithoutFive(), books, generation_id)
    read = await parent.read(generation_id)
    assert (read["status"], read["failure"], read["stepsDone"]) == ("PARTIAL", "It will not be drawn.", 29)
    assert len(books.pictures) == 14
    assert books.finished == 1
    last = (await parent.watch(generation_id))[-1]
    assert (last["__typename"], last["generation"]["status"]) == ("GenerationCompleted", "PARTIAL")


async def test_a_book_that_refuses_the_outline_is_not_written(ai: SubgraphClient, parent: Parent) -> None:
    _, generation_id = await start(parent)

    class WithoutTitle(FakeBookWriter):
        async def put_outline(self, book_id: str, outline: Outline, key: str) -> None:
            raise Conflict("The title does not fit.")

    await run(ai, RecordingStudio(), WithoutTitle(), generation_id)
    read = await parent.read(generation_id)
    assert (read["status"], read["failure"], read["stepsDone"]) == ("FAILED", "The title does not fit.", 0)


async def test_without_an_outline_the_generation_fails(ai: SubgraphClient, parent: Parent) -> None:
    _, generation_id = await start(parent)
    studio = RecordingStudio(build_fault("outline", 9, lambda: ProviderFailed("No credit.", retryable=False)))
    books = FakeBookWriter()
    await run(ai, studio, books, generation_id)
    assert studio.calls == [("outline", None)]
    read = await parent.read(generation_id)
    assert (read["status"], read["failure"]) == ("FAILED", "No credit.")
    assert {step["status"] for step in read["steps"][1:]} == {"SKIPPED"}
    last = (await parent.watch(generation_id))[-1]
    assert (last["__typename"], last["message"]) == ("GenerationFailed", "No credit.")
    assert books.finished == 0


async def test_an_unexpected_provider_error_costs_an_attempt_and_not_the_book(
    ai: SubgraphClient, parent: Parent
) -> None:
    _, generation_id = await start(parent)
    await run(
        ai, RecordingStudio(build_fault("scene", 1, lambda: KeyError("bug"))), FakeBookWriter(), generation_id
    )
    assert (await parent.read(generation_id))["status"] == "COMPLETED"


async def test_a_refused_picture_is_requested_again_cautiously(ai: SubgraphClient, parent: Parent) -> None:
    _, generation_id = await start(parent)
    requests: list[tuple[int | None, bool]] = []

    class Prude(RecordingStudio):
        async def draw(self, request: PictureRequest, *, author: str) -> Picture:
            requests.append((request.number, request.cautious))
            if request.number == 3 and not request.cautious:
                raise ContentRefused("moderation_blocked")
            return await super().draw(request, author=author)

    await run(ai, Prude(), FakeBookWriter(), generation_id)
    assert [cautious for number, cautious in requests if number == 3] == [False, True]
    assert (await parent.read(generation_id))["status"] == "COMPLETED"


async def test_a_deleted_book_costs_no_provider_call(ai: SubgraphClient, parent: Parent) -> None:
    book_id, generation_id = await start(parent)
    studio = RecordingStudio()
    await run(ai, studio, FakeBookWriter(gone=True), generation_id)
    read = await parent.read(generation_id)
    assert (read["status"], read["failure"]) == ("FAILED", f"Book '{book_id}' was not found.")
    assert studio.calls == []


async def test_a_book_deleted_while_its_outline_is_written_costs_no_further_call(
    ai: SubgraphClient, parent: Parent
) -> None:
    _, generation_id = await start(parent)
    books = FakeBookWriter()

    def remove(_kind: str, _call: int) -> None:
        books.gone = True

    studio = RecordingStudio(remove)
    await run(ai, studio, books, generation_id)
    assert (await parent.read(generation_id))["status"] == "FAILED"
    assert studio.calls == [("outline", None)]


async def test_no_provider_is_called_after_a_cancellation(ai: SubgraphClient, parent: Parent) -> None:
    _, generation_id = await start(parent)
    studio, reached = RecordingStudio(), asyncio.Event()
    studio._pause = 0.05
    studio._fault = lambda _, call: reached.set() if call == 7 else None
    running = asyncio.create_task(run(ai, studio, FakeBookWriter(), generation_id))
    await reached.wait()
    answer = await parent.execute(CANCEL, id=generation_id)
    calls = list(studio.calls)
    assert answer.ok["cancelGeneration"]["status"] == "CANCELLED"
    async with asyncio.timeout(60):
        await running
    assert studio.calls == calls
    assert (await parent.watch(generation_id))[-1]["__typename"] == "GenerationCancelled"


async def read_stored(runtime: Runtime, key: str) -> bytes | None:
    """Read a file; None when there is none."""
    try:
        return await runtime.storage.get(key)
    except NotFound:
        return None


async def _read_steps(runtime: Runtime, generation_id: str) -> list[GenerationStep]:
    async with runtime.database.read() as session:
        return (await repository.load_steps_of_generations(session, [generation_id]))[generation_id]


@pytest.fixture
async def own_store(
    servers: Mapping[str, str], graph: FakeGraph, tmp_path: Path
) -> AsyncIterator[SubgraphClient]:
    """The subgraph with a store that takes no pictures: a file stands in the place of their folder."""
    (tmp_path / "illustrations").write_text("")
    environ = {**servers, "GRAPH_URL": graph.url, "STORAGE_URL": f"file://{tmp_path}"}
    async with run_subgraph("ai", environ) as client:
        yield client


async def test_while_the_store_takes_no_pictures_none_is_drawn_again(
    own_store: SubgraphClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step_executor, "_STORE_PAUSES", [0.02] * 1000)
    _, generation_id = await start(Parent(own_store))
    studio, books = RecordingStudio(), FakeBookWriter()
    running = asyncio.create_task(run(own_store, studio, books, generation_id))
    async with asyncio.timeout(60):
        while not any(kind == "picture" for kind, _ in studio.calls):  # noqa: ASYNC110 - of another task
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    (tmp_path / "illustrations").unlink()
    await running
    drawn = Counter(number for kind, number in studio.calls if kind == "picture")
    assert (len(drawn), set(drawn.values())) == (15, {1})
    assert len(books.pictures) == 15


async def test_runs_that_end_early_do_not_draw_a_picture_without_limit(
    own_store: SubgraphClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step_executor, "_STORE_PAUSES", [])
    _, generation_id = await start(Parent(own_store))
    studio, books = RecordingStudio(), FakeBookWriter()
    has_ended = False
    while not has_ended:
        has_ended = True
        try:
            await run(own_store, studio, books, generation_id)
        except* PictureNotStored:
            has_ended = False
    drawn = Counter(number for kind, number in studio.calls if kind == "picture")
    assert set(drawn.values()) == {12}
    async with own_store.runtime.database.read() as session:
        [steps] = (await repository.load_steps_of_generations(session, [generation_id])).values()
    pictures = [step for step in steps if step.kind in {StepKind.COVER, StepKind.ILLUSTRATION}]
    assert {(step.status, step.attempts) for step in pictures} == {(StepStatus.FAILED, 12)}
    assert (books.pictures, len(books.texts)) == ({}, 14)


async def test_a_draining_run_finishes_its_steps_begins_no_others_and_another_run_goes_on(
    ai: SubgraphClient, parent: Parent
) -> None:
    _, generation_id = await start(parent)
    draining, books = asyncio.Event(), FakeBookWriter()

    def drain_at_the_third_picture(kind: str, _: int) -> None:
        if kind == "picture" and sum(called == "picture" for called, _ in studio.calls) == 3:
            draining.set()

    studio = RecordingStudio(drain_at_the_third_picture)
    with pytest.raises(Drained):
        await run_generation(ai.runtime, studio, studio, books, generation_id, draining)
    begun = list(studio.calls)
    assert sum(kind == "picture" for kind, _ in begun) == 3
    assert len(books.pictures) == 3
    await run(ai, studio, books, generation_id)
    assert len(studio.calls) == len(set(studio.calls)) == 30
    assert (len(books.pictures), len(books.texts), books.finished) == (15, 14, 1)
