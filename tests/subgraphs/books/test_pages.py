"""Editing pages: optimistic concurrency, versions and reverts."""

import asyncio

import pytest

from subgraphs.common.runtime import Runtime
from tests.subgraphs.books.library import EDIT_PAGE, REVERT_PAGE, Parent

VERSIONS = """
query ($id: ID!, $first: Int! = 20, $after: String) {
  page(id: $id) {
    versions(first: $first, after: $after) {
      nodes { id number layout text source illustration { id } }
      pageInfo { hasNextPage endCursor }
    }
  }
}"""


async def test_an_edit_creates_a_new_version_and_changes_the_book(parent: Parent, runtime: Runtime) -> None:
    book = await parent.create_book()
    page = book["pages"][3]
    edited = await parent.edit(page, text="  Once upon a time\nthere was a fox.  ")
    assert edited == {
        "__typename": "Page",
        "id": page["id"],
        "number": 4,
        "scene": 1,
        "layout": "TEXT",
        "text": "Once upon a time\nthere was a fox.",
        "version": 1,
        "illustration": None,
        "book": {"version": 2, "status": "DRAFT", "title": "", "subtitle": None},
    }


async def test_a_stale_expected_version_is_refused_with_the_current_page(parent: Parent) -> None:
    page = (await parent.create_book())["pages"][3]
    await parent.edit(page, text="First")
    refused = await parent.edit(page, text="Second")
    assert refused["__typename"] == "EditConflict"
    assert refused["message"] == "The page is at version 1; the edit was made on version 0."
    assert (refused["current"]["text"], refused["current"]["version"]) == ("First", 1)


async def test_one_of_many_concurrent_edits_wins(parent: Parent) -> None:
    book = await parent.create_book()
    page = book["pages"][3]
    answers = await asyncio.gather(*(parent.edit(page, text=f"Text {number}") for number in range(8)))
    won = [answer for answer in answers if answer["__typename"] == "Page"]
    assert len(won) == 1
    assert all(
        answer["current"]["text"] == won[0]["text"]
        for answer in answers
        if answer["__typename"] == "EditConflict"
    )
    history = (await parent.execute(VERSIONS, id=page["id"])).ok["page"]["versions"]["nodes"]
    assert [version["number"] for version in history] == [1]
    assert (await parent.read(book["id"]))["version"] == 2


async def test_concurrent_edits_of_different_pages_all_succeed(parent: Parent) -> None:
    book = await parent.create_book()
    pages = [page for page in book["pages"] if page["layout"] == "TEXT"][:6]
    await asyncio.gather(*(parent.edit(page, text="Hello") for page in pages))
    assert (await parent.read(book["id"]))["version"] == 7


async def test_reverting_creates_a_new_version_too(parent: Parent) -> None:
    page = (await parent.create_book())["pages"][3]
    await parent.edit(page, text="First")
    await parent.edit(page, expectedVersion=1, text="Second")
    history = (await parent.execute(VERSIONS, id=page["id"])).ok["page"]["versions"]["nodes"]
    change = {"pageId": page["id"], "versionId": history[1]["id"], "expectedVersion": 2}
    reverted = (await parent.execute(REVERT_PAGE, input=change)).ok["revertPage"]
    assert (reverted["text"], reverted["version"]) == ("First", 3)
    history = (await parent.execute(VERSIONS, id=page["id"])).ok["page"]["versions"]["nodes"]
    assert [(version["number"], version["text"], version["source"]) for version in history] == [
        (3, "First", "REVERTED"),
        (2, "Second", "EDITED"),
        (1, "First", "EDITED"),
    ]


async def test_the_history_is_paged(parent: Parent) -> None:
    page = (await parent.create_book())["pages"][3]
    for number in range(5):
        await parent.edit(page, expectedVersion=number, text=f"Text {number + 1}")
    first = (await parent.execute(VERSIONS, id=page["id"], first=2)).ok["page"]["versions"]
    assert [version["number"] for version in first["nodes"]] == [5, 4]
    assert first["pageInfo"]["hasNextPage"]
    rest = await parent.execute(VERSIONS, id=page["id"], first=20, after=first["pageInfo"]["endCursor"])
    assert [version["number"] for version in rest.ok["page"]["versions"]["nodes"]] == [3, 2, 1]


async def test_a_revert_requires_a_version_of_this_page(parent: Parent) -> None:
    book = await parent.create_book()
    await parent.edit(book["pages"][5], text="Elsewhere")
    other = (await parent.execute(VERSIONS, id=book["pages"][5]["id"])).ok["page"]["versions"]["nodes"][0]
    change = {"pageId": book["pages"][3]["id"], "versionId": other["id"], "expectedVersion": 0}
    assert (await parent.execute(REVERT_PAGE, input=change)).code == "NOT_FOUND"
    stale = change | {"pageId": book["pages"][5]["id"], "expectedVersion": 7}
    assert (await parent.execute(REVERT_PAGE, input=stale)).ok["revertPage"]["__typename"] == "EditConflict"


async def test_a_text_that_does_not_fit_is_refused_with_the_part_that_would(parent: Parent) -> None:
    book = await parent.create_book()
    page = book["pages"][3]
    text = "The fox ran. " * 60
    refused = await parent.edit(page, text=text)
    assert refused == {
        "__typename": "TextDoesNotFit",
        "message": "At most 420 characters of this text fit on the page.",
        "maximumCharacters": 420,
    }
    assert (await parent.read(book["id"]))["version"] == 1
    kept = await parent.edit(page, text=text[:420])
    assert kept["__typename"] == "Page"


async def test_many_short_lines_are_measured_and_not_only_counted(parent: Parent) -> None:
    page = (await parent.create_book())["pages"][3]
    text = "\n".join(["so"] * 60)
    refused = await parent.edit(page, text=text)
    assert refused["__typename"] == "TextDoesNotFit"
    assert 40 < refused["maximumCharacters"] < len(text)
    fitting = text[: refused["maximumCharacters"]]
    assert (await parent.edit(page, text=fitting))["__typename"] == "Page"


async def test_a_full_picture_page_takes_no_text(parent: Parent) -> None:
    page = (await parent.create_book())["pages"][4]
    refused = await parent.edit(page, text="Hello")
    assert (refused["message"], refused["maximumCharacters"]) == ("This layout shows no text.", 0)
    edited = await parent.edit(page, text="Hello", layout="TEXT_BELOW")
    assert (edited["layout"], edited["text"]) == ("TEXT_BELOW", "Hello")


@pytest.mark.parametrize(
    ("number", "layout"), [(1, "TEXT"), (4, "TITLE"), (3, "CLOSING"), (32, "FULL_BLEED"), (5, "IMPRINT")]
)
async def test_a_layout_is_limited_to_its_pages(parent: Parent, number: int, layout: str) -> None:
    page = (await parent.create_book())["pages"][number - 1]
    edit = {"pageId": page["id"], "expectedVersion": 0, "text": "Hello", "layout": layout}
    answer = await parent.execute(EDIT_PAGE, input=edit)
    assert (answer.code, answer.field) == ("BAD_USER_INPUT", "layout")


async def test_a_small_book_has_no_text_below_a_picture(parent: Parent) -> None:
    page = (await parent.create_book(formatId="square-7.5"))["pages"][4]
    edit = {"pageId": page["id"], "expectedVersion": 0, "text": "Hello", "layout": "TEXT_BELOW"}
    answer = await parent.execute(EDIT_PAGE, input=edit)
    assert (answer.code, answer.field) == ("BAD_USER_INPUT", "layout")
    assert (await parent.edit(page, text="Hello", layout="TEXT"))["layout"] == "TEXT"


@pytest.mark.parametrize("text", ["bell \x07", "美", "x" * 5001])
async def test_a_text_that_cannot_be_printed_is_refused(parent: Parent, text: str) -> None:
    page = (await parent.create_book())["pages"][3]
    answer = await parent.execute(EDIT_PAGE, input={"pageId": page["id"], "expectedVersion": 0, "text": text})
    assert (answer.code, answer.field) == ("BAD_USER_INPUT", "text")


async def test_the_title_is_edited_on_the_title_page(parent: Parent) -> None:
    book = await parent.create_book()
    edited = await parent.edit(book["pages"][0], text="Mia <b>& the</b> Fox 🦊\nA story\nfor Mia")
    assert edited["book"] == {
        "version": 2,
        "status": "DRAFT",
        "title": "Mia <b>& the</b> Fox 🦊",
        "subtitle": "A story for Mia",
    }
    answer = await parent.execute(
        EDIT_PAGE, input={"pageId": book["pages"][0]["id"], "expectedVersion": 1, "text": "  "}
    )
    assert (answer.code, answer.field) == ("BAD_USER_INPUT", "text")


async def test_someone_elses_page_is_not_found(parent: Parent, stranger: Parent) -> None:
    page = (await parent.create_book())["pages"][3]
    edit = {"pageId": page["id"], "expectedVersion": 0, "text": "Mine now"}
    assert (await stranger.execute(EDIT_PAGE, input=edit)).code == "NOT_FOUND"
    assert (await stranger.execute(VERSIONS, id=page["id"])).code == "NOT_FOUND"


@pytest.mark.parametrize("number", [-1, 0, 33])
async def test_a_page_number_outside_of_any_book_is_refused(parent: Parent, number: int) -> None:
    book = await parent.create_book()
    answer = await parent.execute(
        "query ($id: ID!, $number: Int!) { book(id: $id) { page(number: $number) { id } } }",
        id=book["id"],
        number=number,
    )
    assert (answer.code, answer.field) == ("BAD_USER_INPUT", "number")
