"""Typesetting of an approved book into its print files."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from subgraphs.books import repository
from subgraphs.books.content import BookContent
from subgraphs.books.errors import IllustrationChanged
from subgraphs.books.models import PrintFile, PrintPart
from subgraphs.books.typesetting.typesetter import TypesetFile, typeset
from subgraphs.common.errors import NotFound
from subgraphs.common.runtime import Runtime
from subgraphs.common.telemetry import get_logger


@dataclass(frozen=True, slots=True)
class PrintFiles:
    """The two files of a typeset snapshot."""

    interior: PrintFile
    cover: PrintFile


async def get_print_files(runtime: Runtime, snapshot_id: str) -> PrintFiles:
    """Get the print files of a snapshot; NotFound until it is typeset."""
    async with runtime.database.read() as session:
        found = await _find_print_files(session, snapshot_id)
    if found is None:
        raise NotFound("PrintFiles", snapshot_id)
    return found


async def typeset_snapshot(runtime: Runtime, snapshot_id: str) -> PrintFiles:
    """Typeset a snapshot, or return its print files if there are any.

    The same snapshot always gives the same bytes, so two workers may do this at the same time.
    """
    async with runtime.database.read() as session:
        if found := await _find_print_files(session, snapshot_id):
            return found
        snapshot = await repository.get_any_snapshot(session, snapshot_id)
        known = await repository.load_illustrations_of_book(session, snapshot.book_id)
    content = BookContent.parse(snapshot.content)
    keys = {sha256: known[sha256].storage_key for sha256 in content.pictures}
    book = await asyncio.to_thread(typeset, content, await _read_illustrations(runtime, keys))
    return await _store_print_files(
        runtime, snapshot_id, {PrintPart.INTERIOR: book.interior, PrintPart.COVER: book.cover}
    )


async def _find_print_files(session: AsyncSession, snapshot_id: str) -> PrintFiles | None:
    files = (await repository.load_print_files_of_snapshots(session, [snapshot_id])).get(snapshot_id)
    return PrintFiles(files[PrintPart.INTERIOR], files[PrintPart.COVER]) if files else None


async def _read_illustrations(runtime: Runtime, keys: Mapping[str, str]) -> dict[str, bytes]:
    """Read illustrations; IllustrationChanged when one is not the file that was approved."""
    contents = await asyncio.gather(*(runtime.storage.get(key) for key in keys.values()))
    pictures = dict(zip(keys, contents, strict=True))
    for sha256, picture in pictures.items():
        if hashlib.sha256(picture).hexdigest() != sha256:
            get_logger().error("An approved illustration has changed", storage_key=keys[sha256])
            raise IllustrationChanged("A picture is not the one that was approved.")
    return pictures


async def _store_print_files(
    runtime: Runtime, snapshot_id: str, files: Mapping[PrintPart, TypesetFile]
) -> PrintFiles:
    rows = [
        PrintFile(
            snapshot_id=snapshot_id,
            part=part,
            storage_key=f"snapshots/{snapshot_id}/{part.lower()}.pdf",
            sha256=hashlib.sha256(file.content).hexdigest(),
            page_count=file.page_count,
            width_points=file.width_points,
            height_points=file.height_points,
            size=len(file.content),
        )
        for part, file in files.items()
    ]
    for row in rows:
        await runtime.storage.put(row.storage_key, files[row.part].content)
    try:
        async with runtime.unit_of_work() as uow:
            await repository.lock_any_snapshot(uow.session, snapshot_id)
            if found := await _find_print_files(uow.session, snapshot_id):
                return found
            uow.session.add_all(rows)
    except NotFound:
        # The child was deleted while the book was being typeset, so its files must be deleted too.
        await runtime.storage.delete([row.storage_key for row in rows])
        raise
    return PrintFiles(*rows)
