"""Writing generated content into a book: each step takes effect once, and content must fit."""

from dataclasses import replace

import pytest

from subgraphs.books import service
from subgraphs.books.errors import TextDoesNotFit
from subgraphs.books.layouts import Layout
from subgraphs.books.typesetting.fit import MAX_CHARACTERS
from subgraphs.common.errors import NotFound
from subgraphs.common.runtime import Runtime
from tests.subgraphs.books.library import OUTLINE, Parent, generate, store_picture


async def test_a_generated_book_is_ready_with_every_page_filled(parent: Parent) -> None:
    book = await parent.create_finished_book()
    assert (book["status"], book["title"], book["subtitle"], book["blurb"]) == (
        "READY",
        OUTLINE.title,
        OUTLINE.subtitle,
        OUTLINE.blurb,
    )
    assert book["coverIllustration"] is not None
    pages = {page["number"]: page for page in book["pages"]}
    assert pages[1]["text"] == "Mia and the Lantern Fox\nA story for a brave heart"
    assert (pages[3]["text"], pages[32]["text"]) == ("For Mia", "And they slept until morning.")
    assert all(pages[number]["text"] for number in range(4, 32, 2))
    assert all(pages[number]["illustration"] for number in range(5, 32, 2))


async def test_a_shorter_book_is_generated_up_to_its_closing_page(parent: Parent) -> None:
    book = await parent.create_finished_book(formatId="square-7.5")
    assert (book["status"], len(book["pages"])) == ("READY", 24)
    assert book["pages"][-1]["text"] == OUTLINE.closing
    snapshot = await parent.approve(book)
    assert (snapshot["__typename"], snapshot["pageCount"], snapshot["format"]) == (
        "Snapshot",
        24,
        {"id": "square-7.5"},
    )


async def test_every_step_may_be_repeated_and_takes_effect_once(parent: Parent, runtime: Runtime) -> None:
    book = await parent.create_finished_book()
    await generate(runtime, book["id"])
    assert await parent.read(book["id"]) == book


async def test_a_repeated_step_does_not_undo_an_edit(parent: Parent, runtime: Runtime) -> None:
    book = await parent.create_finished_book()
    await parent.edit(book["pages"][3], text="My own words.")
    await generate(runtime, book["id"])
    assert (await parent.read(book["id"]))["pages"][3]["text"] == "My own words."


async def test_a_repeated_picture_returns_the_first_illustration(parent: Parent, runtime: Runtime) -> None:
    book = await parent.create_book()
    target = service.IllustrationTarget(book["id"], book["pages"][4]["id"])
    ids = set()
    for shade in (1, 2):
        picture = await store_picture(runtime, shade)
        ids.add(await service.apply_illustration(runtime, target, "stp_picture", picture))
    assert len(ids) == 1
    page = (await parent.read(book["id"]))["pages"][4]
    assert (page["version"], page["illustration"]["id"]) == (1, ids.pop())


async def test_the_dedication_of_the_brief_comes_first(parent: Parent) -> None:
    book = await parent.create_finished_book(dedication="From Oma")
    assert book["pages"][2]["text"] == "From Oma"


async def test_a_finished_book_that_was_approved_stays_approved(parent: Parent, runtime: Runtime) -> None:
    book = await parent.create_finished_book()
    await parent.approve(book)
    await service.finish_generation(runtime, book["id"], "another-key")
    assert (await parent.read(book["id"]))["status"] == "APPROVED"


async def test_a_new_picture_after_approval_requires_approval_again(parent: Parent, runtime: Runtime) -> None:
    book = await parent.create_finished_book()
    await parent.approve(book)
    picture = await store_picture(runtime, 50)
    await service.apply_illustration(
        runtime, service.IllustrationTarget(book["id"], None), "stp_new_cover", picture
    )
    changed = await parent.read(book["id"])
    assert (changed["status"], changed["version"]) == ("READY", book["version"] + 1)
    assert changed["coverIllustration"]["sha256"] == picture.sha256


async def test_an_outline_that_does_not_fit_is_not_stored(parent: Parent, runtime: Runtime) -> None:
    book = await parent.create_book()
    with pytest.raises(TextDoesNotFit) as refused:
        await service.apply_outline(runtime, book["id"], replace(OUTLINE, blurb="very " * 200), "key")
    assert refused.value.maximum_characters == 540
    unchanged = await parent.read(book["id"])
    assert (unchanged["title"], unchanged["version"]) == ("", 1)


async def test_a_subtitle_that_does_not_fit_beside_its_title_is_left_out(
    parent: Parent, runtime: Runtime
) -> None:
    book = await parent.create_book()
    outline = replace(
        OUTLINE, title="A title of sixty characters, which is longer than most of it", subtitle="x" * 60
    )
    await service.apply_outline(runtime, book["id"], outline, "key")
    titled = await parent.read(book["id"])
    assert (titled["title"], titled["pages"][0]["text"]) == (outline.title, outline.title)


async def test_unprintable_characters_are_removed_from_generated_text(
    parent: Parent, runtime: Runtime
) -> None:
    book = await parent.create_book()
    await service.apply_page_text(runtime, book["pages"][3]["id"], "Mia 美 and the fox 🦊", "key")
    assert (await parent.read(book["id"]))["pages"][3]["text"] == "Mia  and the fox 🦊"


async def test_the_worker_receives_the_story_with_the_length_limit_of_each_page(
    parent: Parent, runtime: Runtime
) -> None:
    book = await parent.create_finished_book()
    story = await service.get_story(runtime, book["id"])
    assert (story.title, story.language) == (OUTLINE.title, "en")
    assert [page.id for page in story.pages] == [page["id"] for page in book["pages"]]
    assert story.pages[3].text == "Scene of page 4."
    assert {page.maximum_characters for page in story.pages if page.layout == "TEXT"} == {
        MAX_CHARACTERS[Layout.TEXT]
    }


async def test_a_deleted_book_is_not_found(runtime: Runtime) -> None:
    with pytest.raises(NotFound):
        await service.apply_outline(runtime, "book_gone", OUTLINE, "key")
    with pytest.raises(NotFound):
        await service.apply_page_text(runtime, "page_gone", "Hello", "key")
