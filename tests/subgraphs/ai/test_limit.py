"""How many generations of one parent may be at work."""

import asyncio

import pytest

from subgraphs.ai.models import GenerationStatus
from subgraphs.common.ids import new_id
from tests.subgraphs.ai.library import CANCEL, GENERATE, REGENERATE, CountingStudio, OneBook, Parent, run
from tests.support.subgraph import SubgraphClient

LIMIT = 3
REACHED = "... on GenerationLimitReached { message limit }"


def with_limit(document: str) -> str:
    """The mutation, asking for the limit too."""
    return document.replace("__typename", f"__typename {REACHED}", 1)


async def test_a_parent_has_three_at_work_and_others_have_their_own(parent: Parent, stranger: Parent) -> None:
    begun = [await parent.generate(new_id("book")) for _ in range(LIMIT)]
    assert [each["__typename"] for each in begun] == ["Generation"] * LIMIT
    answer = await parent.execute(with_limit(GENERATE), id=new_id("book"))
    assert answer.ok["generateBook"] == {
        "__typename": "GenerationLimitReached",
        "message": "At most 3 of your books can be generated at a time; wait for one to finish.",
        "limit": LIMIT,
    }
    assert (await stranger.generate(new_id("book")))["__typename"] == "Generation"
    await parent.execute(CANCEL, id=begun[0]["id"])
    assert (await parent.generate(new_id("book")))["__typename"] == "Generation"


async def test_of_many_at_once_no_more_than_three_are_begun(parent: Parent) -> None:
    answers = await asyncio.gather(*(parent.generate(new_id("book")) for _ in range(12)))
    kinds = sorted(answer["__typename"] for answer in answers)
    assert kinds == ["Generation"] * LIMIT + ["GenerationLimitReached"] * 9


async def test_a_book_at_work_is_told_before_the_limit(parent: Parent) -> None:
    book_id = new_id("book")
    await parent.generate(book_id)
    for _ in range(LIMIT - 1):
        await parent.generate(new_id("book"))
    assert (await parent.generate(book_id))["__typename"] == "GenerationRunning"


async def test_a_page_counts_as_a_book_does(ai: SubgraphClient, parent: Parent) -> None:
    book_id = new_id("book")
    finished = await parent.generate(book_id)
    await run(ai, CountingStudio(), OneBook(), finished["id"])
    assert (await parent.read(finished["id"]))["status"] == GenerationStatus.COMPLETED
    for _ in range(LIMIT):
        await parent.generate(new_id("book"))
    asked = {"pageId": f"{book_id}-4", "parts": ["TEXT"], "instruction": None}
    answer = await parent.execute(with_limit(REGENERATE), input=asked)
    assert answer.ok["regeneratePage"]["limit"] == LIMIT


@pytest.mark.parametrize("count", [24])
async def test_a_whole_shelf_of_one_parent_is_never_queued(parent: Parent, count: int) -> None:
    begun = [(await parent.generate(new_id("book")))["__typename"] for _ in range(count)]
    assert begun.count("Generation") == LIMIT
