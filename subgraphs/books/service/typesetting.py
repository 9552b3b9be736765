"""Use case: making the print files of an approved book."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from subgraphs.books import events, repository
from subgraphs.books.content import BookContent
from subgraphs.books.errors import IllustrationChanged
from subgraphs.books.models import PrintFile, PrintPart
from subgraphs.books.typesetting.typesetter import TypesetFile, typeset
from subgraphs.common.errors import NotFound
from subgraphs.common.runtime import Runtime


@dataclass(frozen=True, slots=True)
class PrintFiles:
    """The two files of a typeset snapshot."""

    interior: PrintFile
    cover: PrintFile


async def get_print_files(runtime: Runtime, snapshot_id: str) -> PrintFiles:
    """The print files of a snapshot; NotFound while it is not typeset."""
    async with runtime.database.read() as session:
        found = await _find(session, snapshot_id)
    if found is None:
        raise NotFound("PrintFiles", snapshot_id)
    return found


async def typeset_snapshot(runtime: Runtime, snapshot_id: str) -> PrintFiles:
    """Make a snapshot's print files, or return those that are there.

    The same snapshot always gives the same bytes, so it does not matter if two workers do it at once.
    """
    async with runtime.database.read() as session:
        if found := await _find(session, snapshot_id):
            return found
        snapshot = await repository.get_any_snapshot(session, snapshot_id)
        known = await repository.load_illustrations_of_book(session, snapshot.book_id)
    content = BookContent.parse(snapshot.content)
    keys = {sha256: known[sha256].storage_key for sha256 in content.pictures}
    book = await asyncio.to_thread(typeset, content, await _fetch(runtime, keys))
    return await _keep(runtime, snapshot_id, {PrintPart.INTERIOR: book.interior, PrintPart.COVER: book.cover})


async def _find(session: AsyncSession, snapshot_id: str) -> PrintFiles | None:
    files = (await repository.load_print_files_of_snapshots(session, [snapshot_id])).get(snapshot_id)
    return PrintFiles(files[PrintPart.INTERIOR], files[PrintPart.COVER]) if files else None


async def _fetch(runtime: Runtime, keys: Mapping[str, str]) -> dict[str, bytes]:
    """Read the pictures and make sure that they are those that were approved."""
    contents = await asyncio.gather(*(runtime.storage.get(key) for key in keys.values()))
    pictures = dict(zip(keys, contents, strict=True))
    for sha256, picture in pictures.items():
        if hashlib.sha256(picture).hexdigest() != sha256:
            raise IllustrationChanged(f"{keys[sha256]} no longer has the SHA-256 {sha256}")
    return pictures


async def _keep(runtime: Runtime, snapshot_id: str, files: Mapping[PrintPart, TypesetFile]) -> PrintFiles:
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
            if found := await _find(uow.session, snapshot_id):
                return found
            uow.session.add_all(rows)
            await uow.publish(events.SnapshotTypeset(snapshot_id))
    except NotFound:
        # Its child was deleted while it was being set: nothing of it may stay behind.
        await runtime.storage.delete([row.storage_key for row in rows])
        raise
    return PrintFiles(*rows)
