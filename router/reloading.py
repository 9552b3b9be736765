"""Reloading a changed supergraph: new operations run on it, those in flight finish on the previous one.

A previous supergraph is dismantled once nothing runs on it any more. It is full of reference cycles, which
otherwise only a full garbage collection would free, and every request would wait for that.
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
    """A supergraph, and a reference to what runs operations on it, which is dead once none are in flight."""

    supergraph: Supergraph
    by: ReferenceType[Any]


@asynccontextmanager
async def reloading(
    path: Path, seconds: float, apply: Callable[[Supergraph], Served], first: Served, content: str
) -> AsyncIterator[None]:
    """Checks a supergraph's file every so many seconds, and applies each change.

    The first supergraph was read from `content`. A file that is missing or is not a supergraph is logged
    once, and the previous one stays in use.
    """
    watch = asyncio.create_task(_watch(path, seconds, apply, [first], content))
    try:
        yield
    finally:
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch


async def _watch(
    path: Path,
    seconds: float,
    apply: Callable[[Supergraph], Served],
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
            # Parsing a large schema takes long: it is done in a thread.
            served.append(apply(await asyncio.to_thread(_read, found)))
        except ValueError as error:
            log.error(
                "The supergraph cannot be reloaded; the previous one stays in use", extra=_details(error)
            )
        else:
            log.info("The supergraph was reloaded")


async def _free(served: list[Served]) -> None:
    """Dismantles the previous supergraphs on which nothing runs any more."""
    for each in [each for each in served[:-1] if each.by() is None]:
        served.remove(each)
        await asyncio.to_thread(each.supergraph.dismantle)


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
