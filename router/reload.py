"""Supergraph reload: new operations run on the changed supergraph, those in flight finish on the previous.

A previous supergraph is dismantled once nothing runs on it any more. It is full of reference cycles, which
only a full garbage collection would otherwise free, and every request would wait for that.
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
class ServedSupergraph:
    """A supergraph and a weak reference to its pipeline, which is dead once no operation is in flight."""

    supergraph: Supergraph
    pipeline: ReferenceType[Any]


@asynccontextmanager
async def watch_supergraph(
    path: Path,
    seconds: float,
    apply: Callable[[Supergraph], ServedSupergraph],
    first: ServedSupergraph,
    content: str,
) -> AsyncIterator[None]:
    """Checks the supergraph's file every `seconds` and applies each change.

    `first` was parsed from `content`. A file that is missing or invalid is logged once, and the previous
    supergraph stays in use.
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
    apply: Callable[[Supergraph], ServedSupergraph],
    served: list[ServedSupergraph],
    previous: str | None,
) -> None:
    while True:
        await asyncio.sleep(seconds)
        await _dismantle_unused(served)
        content = await asyncio.to_thread(_read, path)
        if content == previous:
            continue
        previous = content
        try:
            # Parsing a large schema takes long, so it is done in a thread.
            served.append(apply(await asyncio.to_thread(_parse, content)))
        except ValueError as error:
            log.error(
                "The supergraph cannot be reloaded; the previous one stays in use",
                extra={"metadata": {"reason": str(error)}},
            )
        else:
            log.info("The supergraph was reloaded")


async def _dismantle_unused(served: list[ServedSupergraph]) -> None:
    """Dismantles the previous supergraphs that have no operation in flight."""
    for each in [each for each in served[:-1] if each.pipeline() is None]:
        served.remove(each)
        await asyncio.to_thread(each.supergraph.dismantle)


def _read(path: Path) -> str | None:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return None


def _parse(content: str | None) -> Supergraph:
    if content is None:
        raise ValueError("The file cannot be read.")
    supergraph = Supergraph.parse(content)
    _ = supergraph.public_schema
    return supergraph
