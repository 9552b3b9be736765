"""Renditions: the files that are made from an approved book."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from weakref import WeakValueDictionary

from subgraphs.books import repository
from subgraphs.books.content import BookContent
from subgraphs.books.errors import IllustrationChanged
from subgraphs.books.formats import BookFormat, get_format
from subgraphs.books.models import Rendition, RenditionKind
from subgraphs.books.typesetting.typesetter import TypesetFile, list_pictures, typeset
from subgraphs.common.errors import NotFound
from subgraphs.common.runtime import Runtime
from subgraphs.common.telemetry import get_logger

_LOCKS: Final[WeakValueDictionary[tuple[str, RenditionKind], asyncio.Lock]] = WeakValueDictionary()
"""Held while a rendition is being made, by snapshot and kind; they exist as long as somebody needs them."""


@dataclass(frozen=True, slots=True)
class PrintableBook:
    """The format of a snapshot, its number of pages, and the two files that a print shop needs."""

    format: BookFormat
    page_count: int
    interior: Rendition
    cover: Rendition


async def make_print_files(runtime: Runtime, snapshot_id: str) -> PrintableBook:
    """Make the renditions of a snapshot that a print shop needs, or find those that exist."""
    interior = await make_rendition(runtime, snapshot_id, RenditionKind.PRINT_INTERIOR)
    cover = await make_rendition(runtime, snapshot_id, RenditionKind.PRINT_COVER)
    async with runtime.database.read() as session:
        snapshot = await repository.get_any_snapshot(session, snapshot_id)
    return PrintableBook(get_format(snapshot.format), snapshot.page_count, interior, cover)


async def make_rendition(runtime: Runtime, snapshot_id: str, kind: RenditionKind) -> Rendition:
    """Make a rendition of a snapshot, or find the one that exists.

    Within a process, one that is being made is waited for: an order may be paid seconds after the approval,
    and typesetting takes all the cores there are. Two processes may make the same one at the same time, as
    the same snapshot always gives the same bytes.
    """
    async with _LOCKS.setdefault((snapshot_id, kind), asyncio.Lock()):
        return await _find_or_make_rendition(runtime, snapshot_id, kind)


async def _find_or_make_rendition(runtime: Runtime, snapshot_id: str, kind: RenditionKind) -> Rendition:
    async with runtime.database.read() as session:
        if found := await repository.find_rendition(session, snapshot_id, kind):
            return found
        snapshot = await repository.get_any_snapshot(session, snapshot_id)
        known = await repository.load_illustrations_of_book(session, snapshot.book_id)
    content = BookContent.parse(snapshot.content)
    keys = {sha256: known[sha256].storage_key for sha256 in list_pictures(kind, content)}
    file = await asyncio.to_thread(typeset, kind, content, await _read_illustrations(runtime, keys))
    return await _store_rendition(runtime, snapshot_id, kind, file)


async def _read_illustrations(runtime: Runtime, keys: Mapping[str, str]) -> dict[str, bytes]:
    """Read illustrations; IllustrationChanged when one is not the file that was approved."""
    contents = await asyncio.gather(*(runtime.storage.get(key) for key in keys.values()))
    pictures = dict(zip(keys, contents, strict=True))
    for sha256, picture in pictures.items():
        if hashlib.sha256(picture).hexdigest() != sha256:
            get_logger().error("An approved illustration has changed", storage_key=keys[sha256])
            raise IllustrationChanged("A picture is not the one that was approved.")
    return pictures


async def _store_rendition(
    runtime: Runtime, snapshot_id: str, kind: RenditionKind, file: TypesetFile
) -> Rendition:
    rendition = Rendition(
        snapshot_id=snapshot_id,
        kind=kind,
        storage_key=f"snapshots/{snapshot_id}/{kind.lower().replace('_', '-')}.pdf",
        sha256=hashlib.sha256(file.content).hexdigest(),
        page_count=file.page_count,
        width_points=file.width_points,
        height_points=file.height_points,
        size=len(file.content),
    )
    await runtime.storage.put(rendition.storage_key, file.content)
    try:
        async with runtime.unit_of_work() as uow:
            await repository.lock_any_snapshot(uow.session, snapshot_id)
            if found := await repository.find_rendition(uow.session, snapshot_id, kind):
                return found
            uow.session.add(rendition)
    except NotFound:
        # The child was deleted while the rendition was being made, so its file must be deleted too.
        await runtime.storage.delete([rendition.storage_key])
        raise
    return rendition
