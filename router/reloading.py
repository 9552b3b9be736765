"""Taking up a changed supergraph: new operations run on it, those under way end on the old one.

Once nothing runs on an old one any more, it is taken apart. It is full of cycles, so that else only a search
of all that the process holds would free it, for which every request would wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import ReferenceType

from router.supergraph import Supergraph
from router.telemetry import log


@dataclass(frozen=True, eq=False, slots=True)
class Served:
    """A supergraph, and what runs operations on it for as long as any are under way."""

    supergraph: Supergraph
    by: ReferenceType[Any]


@asynccontextmanager
async def reloading(
    path: Path, seconds: float, take_up: Callable[[Supergraph], Served], first: Served, content: str
) -> AsyncIterator[None]:
    """Look at a supergraph's file every so many seconds, and hand over what it has become.

    The first one was read from `content`. A file that is gone or is no supergraph is logged once, and the one
    before goes on.
    """
    watch = asyncio.create_task(_watch(path, seconds, take_up, [first], content))
    try:
        yield
    finally:
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch


async def _watch(
    path: Path,
    seconds: float,
    take_up: Callable[[Supergraph], Served],
    served: list[Served],
    known: str | None,
) -> None:
    while True:
        await asyncio.sleep(seconds)
        await _free(served)
        found = await asyncio.to_thread(_content, path)
        if found == known:
            continue
        known = found
        try:
            # Reading a large schema takes its time, which is not the requests'.
            served.append(take_up(await asyncio.to_thread(_read, found)))
        except ValueError as error:
            log.error("The supergraph cannot be taken up; the one before goes on", extra=_details(error))
        else:
            log.info("The supergraph was taken up")


async def _free(served: list[Served]) -> None:
    """Takes apart those before the last one on which nothing runs any more."""
    for each in [each for each in served[:-1] if each.by() is None]:
        served.remove(each)
        await asyncio.to_thread(each.supergraph.take_apart)


def _content(path: Path) -> str | None:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return None


def _read(content: str | None) -> Supergraph:
    if content is None:
        raise ValueError("The file cannot be read.")
    supergraph = Supergraph.parse(content)
    _ = supergraph.public_schema
    return supergraph


def _details(error: ValueError) -> dict[str, object]:
    return {"metadata": {"reason": str(error)}}
