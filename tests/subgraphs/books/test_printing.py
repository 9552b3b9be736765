"""Renditions: made once from the snapshot, served at signed URLs, deleted with the child."""

import asyncio
import hashlib
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from pypdf import PdfReader

from subgraphs.books import repository, service
from subgraphs.books.errors import IllustrationChanged
from subgraphs.books.models import Illustration, RenditionKind
from subgraphs.common.errors import NotFound
from subgraphs.common.runtime import Runtime
from tests.subgraphs.books.library import Parent, store_picture
from tests.subgraphs.books.messages import read_messages
from tests.support.pictures import build_png
from tests.support.subgraph import SubgraphClient

SNAPSHOT = """
query ($id: ID!) {
  snapshot(id: $id) {
    interior { url sha256 pageCount widthPoints heightPoints bytes }
    cover { url sha256 pageCount widthPoints heightPoints bytes }
  }
}"""
COVER_URL = "query ($id: ID!) { book(id: $id) { coverIllustration { url } } }"
DELETE_CHILD = "mutation ($id: ID!) { deleteChild(id: $id) }"


async def fetch(books: SubgraphClient, url: str) -> httpx2.Response:
    """Fetch the path of a signed URL from the test's server."""
    parts = urlsplit(url)
    return await books.http.get(f"{parts.path}?{parts.query}")


def _get_root(runtime: Runtime) -> Path:
    return Path(urlsplit(runtime.settings.storage_url).path)


def list_stored_files(runtime: Runtime) -> set[str]:
    root = _get_root(runtime)
    return {str(file.relative_to(root)) for file in root.rglob("*") if file.is_file()}


@pytest.mark.parametrize(
    ("format_id", "sizes"),
    [
        ("square-8.5", {"interior": (32, 630.0, 630.0), "cover": (1, 1368.0, 738.0)}),
        ("square-7.5", {"interior": (24, 558.0, 558.0), "cover": (1, 1224.0, 666.0)}),
    ],
)
async def test_an_approved_book_has_both_files_as_its_format_requires(
    books: SubgraphClient,
    parent: Parent,
    runtime: Runtime,
    format_id: str,
    sizes: dict[str, tuple[int, float, float]],
) -> None:
    snapshot = await parent.approve(await parent.create_finished_book(formatId=format_id))
    printable = await service.make_print_files(runtime, snapshot["id"])
    assert (printable.format.id, printable.page_count) == (format_id, sizes["interior"][0])
    shown: dict[str, Any] = (await parent.execute(SNAPSHOT, id=snapshot["id"])).ok["snapshot"]
    for part, (page_count, width, height) in sizes.items():
        file = shown[part]
        assert (file["pageCount"], file["widthPoints"], file["heightPoints"]) == (page_count, width, height)
        response = await fetch(books, file["url"])
        assert response.headers["content-type"] == "application/pdf"
        assert len(response.content) == file["bytes"]
        assert hashlib.sha256(response.content).hexdigest() == file["sha256"]
        pages = PdfReader(BytesIO(response.content)).pages
        assert {(float(page.mediabox.width), float(page.mediabox.height)) for page in pages} == {
            (width, height)
        }
        assert len(pages) == page_count


async def test_each_rendition_is_made_by_itself(parent: Parent, runtime: Runtime) -> None:
    snapshot = await parent.approve(await parent.create_finished_book())
    cover = await service.make_rendition(runtime, snapshot["id"], RenditionKind.PRINT_COVER)
    shown = (await parent.execute(SNAPSHOT, id=snapshot["id"])).ok["snapshot"]
    assert (shown["interior"], shown["cover"]["sha256"]) == (None, cover.sha256)
    assert cover.storage_key == f"snapshots/{snapshot['id']}/print-cover.pdf"


@pytest.mark.parametrize("kind", RenditionKind)
async def test_a_rendition_is_made_once_however_often_it_is_asked_for(
    parent: Parent, runtime: Runtime, kind: RenditionKind
) -> None:
    book = await parent.create_finished_book()
    snapshot = await parent.approve(book)
    made = await asyncio.gather(*(service.make_rendition(runtime, snapshot["id"], kind) for _ in range(2)))
    async with runtime.database.read() as session:
        picture = await session.get_one(Illustration, book["coverIllustration"]["id"])
    await runtime.storage.delete([picture.storage_key])
    made.append(await service.make_rendition(runtime, snapshot["id"], kind))
    assert len({rendition.sha256 for rendition in made}) == 1


@pytest.mark.parametrize("is_first_cancelled", [False, True])
async def test_a_rendition_that_is_being_made_is_waited_for_and_not_made_twice(
    parent: Parent, runtime: Runtime, is_first_cancelled: bool
) -> None:
    snapshot_id = (await parent.approve(await parent.create_finished_book()))["id"]
    async with asyncio.TaskGroup() as group, runtime.unit_of_work() as holding:
        await repository.lock_any_snapshot(holding.session, snapshot_id)
        first = group.create_task(service.make_rendition(runtime, snapshot_id, RenditionKind.PRINT_COVER))
        await _wait_for_print_file(runtime, snapshot_id)
        stored = _read_time_of_print_file(runtime, snapshot_id)
        second = group.create_task(service.make_rendition(runtime, snapshot_id, RenditionKind.PRINT_COVER))
        await asyncio.sleep(1)
        assert _read_time_of_print_file(runtime, snapshot_id) == stored
        if is_first_cancelled:
            first.cancel()
            await asyncio.wait([first])
    assert first.cancelled() == is_first_cancelled
    assert (_read_time_of_print_file(runtime, snapshot_id) == stored) == (not is_first_cancelled)
    assert (await second).storage_key == f"snapshots/{snapshot_id}/print-cover.pdf"


async def test_the_approved_content_is_printed(parent: Parent, runtime: Runtime) -> None:
    book = await parent.create_finished_book()
    snapshot = await parent.approve(book)
    await parent.edit(book["pages"][3], text="Edited after approval.")
    files = await service.make_print_files(runtime, snapshot["id"])
    interior = PdfReader(BytesIO(await runtime.storage.get(files.interior.storage_key)))
    assert interior.pages[3].extract_text().startswith("Scene of page 4.")


async def test_a_picture_replaced_in_the_store_is_never_printed(parent: Parent, runtime: Runtime) -> None:
    book = await parent.create_finished_book()
    snapshot = await parent.approve(book)
    async with runtime.database.read() as session:
        picture = await session.get_one(Illustration, book["pages"][4]["illustration"]["id"])
    await runtime.storage.put(picture.storage_key, build_png(7))
    with pytest.raises(IllustrationChanged):
        await service.make_print_files(runtime, snapshot["id"])
    assert (await parent.execute(SNAPSHOT, id=snapshot["id"])).ok["snapshot"]["interior"] is None


async def test_a_signed_address_serves_the_picture(books: SubgraphClient, parent: Parent) -> None:
    book = await parent.create_finished_book()
    url = (await parent.execute(COVER_URL, id=book["id"])).ok["book"]["coverIllustration"]["url"]
    response = await fetch(books, url)
    assert (response.status_code, response.headers["content-type"]) == (200, "image/png")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.content == build_png(99)


@pytest.mark.parametrize(
    ("there", "instead"),
    [
        ("signature=", "signature=0"),
        ("expires=", "expires=9"),
        ("expires=", "expires=x"),
        ("illustrations/", "snapshots/"),
        ("expires=", "other="),
        (".png", ".png/../x"),
    ],
)
async def test_an_altered_address_is_forbidden(
    books: SubgraphClient, parent: Parent, there: str, instead: str
) -> None:
    book = await parent.create_finished_book()
    url = (await parent.execute(COVER_URL, id=book["id"])).ok["book"]["coverIllustration"]["url"]
    response = await fetch(books, url.replace(there, instead, 1))
    assert response.status_code in {403, 404}
    assert response.headers["content-type"] == "application/json"
    assert build_png(99) not in response.content


async def test_an_expired_address_serves_nothing(books: SubgraphClient, runtime: Runtime) -> None:
    picture = await store_picture(runtime, 3)
    long_ago = runtime.clock().replace(year=2020)
    response = await fetch(books, runtime.storage.sign_url(picture.storage_key, long_ago))
    assert response.status_code == 403
    assert response.json() == {
        "error": {"code": "FORBIDDEN", "message": "This URL is not valid or has expired."}
    }


async def test_a_signed_address_of_a_deleted_file_is_not_found(
    books: SubgraphClient, runtime: Runtime
) -> None:
    response = await fetch(books, runtime.storage.sign_url("illustrations/gone.png", runtime.clock()))
    assert response.status_code == 404


async def test_deleting_a_child_removes_its_books_and_their_files(
    books: SubgraphClient, parent: Parent, runtime: Runtime
) -> None:
    untouched = await parent.create_finished_book()
    before = list_stored_files(runtime)
    child_id = await parent.create_child(name="Ben")
    book = await parent.create_finished_book(child_id)
    await parent.edit(book["pages"][3], text="A version.")
    snapshot = await parent.approve(book)
    await service.make_print_files(runtime, snapshot["id"])
    made = list_stored_files(runtime) - before
    assert len(made) == 14 + 1 + 2

    assert (await parent.execute(DELETE_CHILD, id=child_id)).ok["deleteChild"] == child_id
    [job] = [job for job in await read_messages(runtime, "DeleteFiles") if made & set(job["keys"])]
    assert set(job["keys"]) == made
    await runtime.storage.delete(job["keys"])
    assert list_stored_files(runtime) == before

    for kind, id_ in (("child", child_id), ("book", book["id"]), ("snapshot", snapshot["id"])):
        assert (
            await parent.execute(f"query ($id: ID!) {{ {kind}(id: $id) {{ id }} }}", id=id_)
        ).code == "NOT_FOUND"
    assert (await parent.execute(DELETE_CHILD, id=child_id)).code == "NOT_FOUND"
    assert await read_messages(runtime, "ChildDeleted", child_id=child_id) == [
        {"child_id": child_id, "owner_id": parent.id}
    ]
    assert await parent.read(untouched["id"]) == untouched


async def test_a_book_that_is_deleted_while_it_is_typeset_leaves_no_files(
    parent: Parent, runtime: Runtime
) -> None:
    child_id = await parent.create_child()
    snapshot = await parent.approve(await parent.create_finished_book(child_id))
    async with asyncio.TaskGroup() as group, runtime.unit_of_work() as deletion:
        child = await repository.lock_child(deletion.session, parent.id, child_id)
        await deletion.session.delete(child)
        await deletion.session.flush()
        typesetting = group.create_task(_is_refused(runtime, snapshot["id"]))
        await _wait_for_print_file(runtime, snapshot["id"])
    assert await typesetting
    assert not _list_print_files(runtime, snapshot["id"])


async def _is_refused(runtime: Runtime, snapshot_id: str) -> bool:
    try:
        await service.make_print_files(runtime, snapshot_id)
    except NotFound:
        return True
    return False


async def _wait_for_print_file(runtime: Runtime, snapshot_id: str) -> None:
    for _ in range(1500):
        if _list_print_files(runtime, snapshot_id):
            break
        await asyncio.sleep(0.02)


def _read_time_of_print_file(runtime: Runtime, snapshot_id: str) -> int:
    [file] = _list_print_files(runtime, snapshot_id)
    return (_get_root(runtime) / file).stat().st_mtime_ns


def _list_print_files(runtime: Runtime, snapshot_id: str) -> list[str]:
    return [file for file in list_stored_files(runtime) if file.startswith(f"snapshots/{snapshot_id}")]
