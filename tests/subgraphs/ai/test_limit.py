"""The limit of running generations for each parent."""

import asyncio

import pytest

from subgraphs.ai.states import GenerationStatus
from subgraphs.common.ids import new_id
from tests.subgraphs.ai.library import (
    CANCEL,
    GENERATE,
    REGENERATE,
    FakeBookWriter,
    Parent,
    run,
)
from tests.support.studio import RecordingStudio
from tests.support.subgraph import SubgraphClient

LIMIT = 3
REACHED = "... on GenerationLimitReached { message limit }"


def add_limit(document: str) -> str:
    """Adds the selection of the limit to the mutation."""
    return document.replace("__typename", f"__typename {REACHED}", 1)


async def test_a_parent_may_have_three_running_generations_and_others_their_own(
    parent: Parent, stranger: Parent
) -> None:
    begun = [await parent.generate(new_id("book")) for _ in range(LIMIT)]
    assert [each["__typename"] for each in begun] == ["Generation"] * LIMIT
    answer = await parent.execute(add_limit(GENERATE), id=new_id("book"))
    assert answer.ok["generateBook"] == {
        "__typename": "GenerationLimitReached",
        "message": "At most 3 of your books can be generated at a time; wait for one to finish.",
        "limit": LIMIT,
    }
    assert (await stranger.generate(new_id("book")))["__typename"] == "Generation"
    await parent.execute(CANCEL, id=begun[0]["id"])
    assert (await parent.generate(new_id("book")))["__typename"] == "Generation"


async def test_concurrent_requests_start_at_most_three_generations(parent: Parent) -> None:
    answers = await asyncio.gather(*(parent.generate(new_id("book")) for _ in range(12)))
    kinds = sorted(answer["__typename"] for answer in answers)
    assert kinds == ["Generation"] * LIMIT + ["GenerationLimitReached"] * 9


async def test_a_running_generation_of_the_same_book_is_reported_before_the_limit(parent: Parent) -> None:
    book_id = new_id("book")
    await parent.generate(book_id)
    for _ in range(LIMIT - 1):
        await parent.generate(new_id("book"))
    assert (await parent.generate(book_id))["__typename"] == "GenerationRunning"


async def test_a_regenerated_page_counts_like_a_book(ai: SubgraphClient, parent: Parent) -> None:
    book_id = new_id("book")
    finished = await parent.generate(book_id)
    await run(ai, RecordingStudio(), FakeBookWriter(), finished["id"])
    assert (await parent.read(finished["id"]))["status"] == GenerationStatus.COMPLETED
    for _ in range(LIMIT):
        await parent.generate(new_id("book"))
    variables = {"pageId": f"{book_id}-4", "parts": ["TEXT"], "instruction": None}
    answer = await parent.execute(add_limit(REGENERATE), input=variables)
    assert answer.ok["regeneratePage"]["limit"] == LIMIT


@pytest.mark.parametrize("count", [24])
async def test_a_parent_cannot_queue_all_books_of_a_shelf(parent: Parent, count: int) -> None:
    begun = [(await parent.generate(new_id("book")))["__typename"] for _ in range(count)]
    assert begun.count("Generation") == LIMIT
