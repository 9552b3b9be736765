"""Approval: a snapshot of exactly the approved version, stored once, and unaffected by later edits."""

import hashlib
from typing import Any

import orjson

from subgraphs.books import service
from subgraphs.books.models import RenditionKind, Snapshot
from subgraphs.common.runtime import Runtime
from tests.subgraphs.books.library import APPROVE_BOOK, OUTLINE, Parent
from tests.subgraphs.books.messages import read_messages
from tests.support.pictures import build_png


async def read_content(runtime: Runtime, snapshot_id: str) -> str:
    async with runtime.database.read() as session:
        snapshot = await session.get_one(Snapshot, snapshot_id)
    return snapshot.content


def find_page(content: str, number: int) -> Any:
    return orjson.loads(content)["pages"][number - 1]


async def test_the_snapshot_contains_all_printed_content(parent: Parent, runtime: Runtime) -> None:
    book = await parent.create_finished_book(theme="NATURE", language="en-GB")
    snapshot = await parent.approve(book)
    content = await read_content(runtime, snapshot["id"])
    assert snapshot["contentHash"] == hashlib.sha256(content.encode()).hexdigest()
    document = orjson.loads(content)
    assert content == orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode()
    pages = document.pop("pages")
    assert document == {
        "typesetting": 1,
        "format": "square-8.5",
        "title": OUTLINE.title,
        "subtitle": OUTLINE.subtitle,
        "blurb": OUTLINE.blurb,
        "language": "en-GB",
        "theme": "NATURE",
        "cover": hashlib.sha256(build_png(99)).hexdigest(),
    }
    assert len(pages) == 32
    assert pages[3] == {"number": 4, "layout": "TEXT", "text": "Scene of page 4.", "illustration": None}
    assert pages[4] == {
        "number": 5,
        "layout": "FULL_BLEED",
        "text": "",
        "illustration": hashlib.sha256(build_png(5)).hexdigest(),
    }


async def test_approving_a_book_queues_its_renditions(parent: Parent, runtime: Runtime) -> None:
    book = await parent.create_finished_book()
    assert book["status"] == "READY"
    snapshot = await parent.approve(book)
    assert snapshot["book"] == {"id": book["id"], "status": "APPROVED"}
    assert (snapshot["pageCount"], snapshot["interior"], snapshot["cover"]) == (32, None, None)
    approved = await parent.read(book["id"])
    assert approved["snapshot"] == {"id": snapshot["id"], "contentHash": snapshot["contentHash"]}
    assert await read_messages(runtime, "MakeRendition", snapshot_id=snapshot["id"]) == [
        {"snapshot_id": snapshot["id"], "kind": kind} for kind in ("PRINT_INTERIOR", "PRINT_COVER")
    ]


async def test_approving_a_book_again_queues_only_the_renditions_that_are_missing(
    parent: Parent, runtime: Runtime
) -> None:
    book = await parent.create_finished_book()
    snapshot = await parent.approve(book)
    await service.make_rendition(runtime, snapshot["id"], RenditionKind.PRINT_COVER)
    await parent.approve(book)
    queued = await read_messages(runtime, "MakeRendition", snapshot_id=snapshot["id"])
    assert [job["kind"] for job in queued] == ["PRINT_INTERIOR", "PRINT_COVER", "PRINT_INTERIOR"]


async def test_the_same_content_gives_the_same_snapshot(parent: Parent) -> None:
    book = await parent.create_finished_book()
    first = await parent.approve(book)
    assert await parent.approve(book) == first
    page = book["pages"][3]
    changed = await parent.edit(page, text="Another scene.")
    other = await parent.approve(book)
    assert other["id"] != first["id"]
    assert other["contentHash"] != first["contentHash"]
    await parent.edit(changed, text=page["text"])
    assert (await parent.approve(book))["id"] == first["id"]


async def test_an_edit_after_approval_leaves_the_snapshot_as_it_was(parent: Parent, runtime: Runtime) -> None:
    book = await parent.create_finished_book()
    snapshot = await parent.approve(book)
    before = await read_content(runtime, snapshot["id"])
    edited = await parent.edit(book["pages"][3], text="Something else.")
    assert edited["book"]["status"] == "READY"
    assert await read_content(runtime, snapshot["id"]) == before
    assert find_page(before, 4)["text"] == "Scene of page 4."
    assert (await parent.read(book["id"]))["snapshot"]["id"] == snapshot["id"]


async def test_a_book_that_was_changed_meanwhile_is_not_approved(parent: Parent) -> None:
    book = await parent.create_finished_book()
    await parent.edit(book["pages"][3], text="Changed meanwhile.")
    stale = {"bookId": book["id"], "expectedVersion": book["version"]}
    answer = (await parent.execute(APPROVE_BOOK, input=stale)).ok["approveBook"]
    assert answer == {
        "__typename": "BookConflict",
        "message": f"The book is at version {book['version'] + 1}; "
        f"version {book['version']} was to be approved.",
        "current": {"id": book["id"], "version": book["version"] + 1},
    }
    assert (await parent.read(book["id"]))["snapshot"] is None


async def test_an_unfinished_book_names_its_unfinished_pages(parent: Parent) -> None:
    book = await parent.create_book()
    incomplete = await parent.approve(book)
    assert incomplete["__typename"] == "BookIncomplete"
    assert incomplete["pages"] == [1, *range(3, 33)]


async def test_a_page_without_text_is_named(parent: Parent) -> None:
    book = await parent.create_finished_book()
    await parent.edit(book["pages"][7], text="")
    incomplete = await parent.approve(book)
    assert incomplete["pages"] == [8]
    assert incomplete["message"] == "These pages are not finished: 8."


async def test_someone_elses_book_is_not_found(parent: Parent, stranger: Parent) -> None:
    book = await parent.create_finished_book()
    attempt = {"bookId": book["id"], "expectedVersion": book["version"]}
    assert (await stranger.execute(APPROVE_BOOK, input=attempt)).code == "NOT_FOUND"
