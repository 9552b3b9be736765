"""Watching a generation behind the router: outages lose nothing, and idle watchers cost nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Any

import pytest
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from subgraphs.ai import repository
from subgraphs.common import live
from subgraphs.common.ids import new_id
from tests.subgraphs.ai.library import CANCEL, FakeBookWriter, Parent, run
from tests.support.commandstats import count_commands
from tests.support.outages import cut_off_postgres, cut_off_valkey
from tests.support.routed import route_to
from tests.support.studio import RecordingStudio
from tests.support.subgraph import Answer, SubgraphClient

# Without what books knows: only the ai subgraph runs.
WATCH = """
subscription ($id: ID!) {
  generation(id: $id) {
    __typename sequence
    ... on StepStarted { step { id kind } }
    ... on TextDelta { page { id number } text }
    ... on OutlineWritten { title }
    ... on PageWritten { page { id number } }
    ... on IllustrationReady { page { id number } illustration { id } }
  }
}"""
WATCH_BOOKS = """
subscription ($id: ID!) {
  generation(id: $id) {
    __typename sequence generation { status book { title } }
    ... on StepStarted { step { kind page { text } } }
    ... on OutlineWritten { title book { title } }
    ... on PageWritten { page { number text } }
    ... on IllustrationReady { page { number } illustration { url } }
    ... on GenerationCompleted { book { title } }
  }
}"""


@pytest.fixture
async def routed(ai: SubgraphClient) -> AsyncIterator[SubgraphClient]:
    """A client of the router, behind which only ai runs."""
    async with route_to(ai) as client:
        yield client


class Watcher:
    """A subscriber in a task of its own, and the answers that it has received."""

    def __init__(
        self, client: SubgraphClient, parent: Parent, generation_id: str, query: str = WATCH
    ) -> None:
        self.answers: list[Answer] = []
        self._task = asyncio.create_task(
            self._watch(client.subscribe(query, {"id": generation_id}, parent.token))
        )

    async def _watch(self, answers: AsyncGenerator[Answer]) -> None:
        async with aclosing(answers):
            async for answer in answers:
                self.answers.append(answer)

    async def receive(self, number: int) -> None:
        """Wait until so many events have been received."""
        async with asyncio.timeout(90):
            while len(self.answers) < number:  # noqa: ASYNC110 - a router answers
                await asyncio.sleep(0.005)

    async def wait_for_end(self) -> None:
        async with asyncio.timeout(90):
            await self._task

    async def finish(self) -> list[Any]:
        """Wait for the end; return the events, of which none may have an error."""
        await self.wait_for_end()
        return [answer.ok["generation"] for answer in self.answers]


async def run_in_spite_of_outages(ai: SubgraphClient, generation_id: str) -> None:
    """Run a generation until it has ended, as workers do that try again after a failure."""
    studio, books, has_ended = RecordingStudio(words_per_second=200), FakeBookWriter(), False
    while not has_ended:
        try:
            await run(ai, studio, books, generation_id)
            async with ai.runtime.database.read() as session:
                generation = await repository.find_any_generation(session, generation_id)
            has_ended = generation is not None and generation.finished_at is not None
        except* (OSError, SQLAlchemyError, RedisError):
            await asyncio.sleep(0.1)


def cut_off(server: str, environ: Mapping[str, str]) -> AbstractAsyncContextManager[None]:
    return cut_off_postgres(environ, "ai") if server == "postgres" else cut_off_valkey(environ)


@pytest.mark.parametrize("server", ["postgres", "valkey"])
async def test_a_watcher_gets_each_event_once_though_a_server_is_unavailable_for_some_seconds(
    servers: Mapping[str, str], ai: SubgraphClient, routed: SubgraphClient, parent: Parent, server: str
) -> None:
    generation_id = (await parent.generate(new_id("book")))["id"]
    watcher = Watcher(routed, parent, generation_id)
    running = asyncio.create_task(run_in_spite_of_outages(ai, generation_id))
    for number in (10, 60):
        await watcher.receive(number)
        async with cut_off(server, servers):
            await asyncio.sleep(2)
    await running
    seen = await watcher.finish()
    assert seen[-1]["__typename"] == "GenerationCompleted"
    again = await Watcher(routed, parent, generation_id).finish()
    assert seen == again


async def test_a_watcher_gets_each_event_that_is_a_row_once_though_valkey_loses_all_data(
    ai: SubgraphClient, routed: SubgraphClient, parent: Parent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_CHECK_SECONDS", 0.2)
    generation_id = (await parent.generate(new_id("book")))["id"]
    watcher = Watcher(routed, parent, generation_id)
    running = asyncio.create_task(run_in_spite_of_outages(ai, generation_id))
    for number in (10, 60):
        await watcher.receive(number)
        await ai.runtime.redis.flushdb()
    await running
    numbers = [event["sequence"] for event in await watcher.finish()]
    assert numbers == sorted(set(numbers))
    async with ai.runtime.database.read() as session:
        rows = await repository.list_events(session, generation_id, 0)
    assert set(numbers) >= {row.sequence for row in rows}


async def test_every_event_arrives_with_its_number_while_books_is_unavailable(
    ai: SubgraphClient, routed: SubgraphClient, parent: Parent
) -> None:
    generation_id = (await parent.generate(new_id("book")))["id"]
    await run(ai, RecordingStudio(), FakeBookWriter(), generation_id)
    # Only the events that are rows, which are fewer.
    await ai.runtime.live.delete(f"generation:{generation_id}")
    watcher = Watcher(routed, parent, generation_id, WATCH_BOOKS)
    await watcher.wait_for_end()
    events = [answer.data["generation"] for answer in watcher.answers]
    async with ai.runtime.database.read() as session:
        rows = await repository.list_events(session, generation_id, 0)
    assert [(event["sequence"], event["__typename"]) for event in events] == [
        (row.sequence, row.kind) for row in rows
    ]
    for event, answer in zip(events, watcher.answers, strict=True):
        assert event["generation"] == {"status": "COMPLETED", "book": None}
        assert {error["extensions"]["code"] for error in answer.errors} == {"DOWNSTREAM_SERVICE_ERROR"}
        match event["__typename"]:
            case "OutlineWritten":
                assert event["title"]
                assert event["book"] is None
            case "StepStarted":
                assert event["step"]["kind"]
            case "IllustrationReady":
                assert event["illustration"] is None
            case "GenerationCompleted":
                assert event["book"] is None


async def test_idle_watchers_send_no_statement_and_no_command_of_their_own(
    ai: SubgraphClient, parent: Parent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_CHECK_SECONDS", 0.2)
    ids = [(await parent.generate(new_id("book")))["id"] for _ in range(3)]
    redis = ai.runtime.redis
    before = await count_commands(redis)
    watchers = [Watcher(ai, parent, id) for id in ids for _ in range(10)]
    async with asyncio.timeout(60):
        # Each reads the stream twice when it comes, and the rows between.
        while (await count_commands(redis) - before)["xrange"] < 60:  # noqa: ASYNC110 - a server answers
            await asyncio.sleep(0.05)
    commands, statements = await count_commands(redis), await ai.count_statements()
    await asyncio.sleep(1)
    assert await count_commands(redis) == commands
    assert 1 <= await ai.count_statements() - statements <= 6
    for id in ids:
        await parent.execute(CANCEL, id=id)
    for watcher in watchers:
        assert [event["__typename"] for event in await watcher.finish()] == ["GenerationCancelled"]
