"""Taking up a changed supergraph: new operations run on it, those under way end on the old one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from router.supergraph import Supergraph
from router.telemetry import log


@asynccontextmanager
async def reloading(path: Path, seconds: float, take_up: Callable[[Supergraph], None]) -> AsyncIterator[None]:
    """Look at a supergraph's file every so many seconds, and hand over what it has become.

    A file that is gone or is no supergraph is logged once, and the one before goes on.
    """
    watch = asyncio.create_task(_watch(path, seconds, take_up))
    try:
        yield
    finally:
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch


async def _watch(path: Path, seconds: float, take_up: Callable[[Supergraph], None]) -> None:
    known = await asyncio.to_thread(_content, path)
    while True:
        await asyncio.sleep(seconds)
        found = await asyncio.to_thread(_content, path)
        if found == known:
            continue
        known = found
        try:
            # Reading a large schema takes its time, which is not the requests'.
            take_up(await asyncio.to_thread(_read, found))
        except ValueError as error:
            log.error("The supergraph cannot be taken up; the one before goes on", extra=_details(error))
        else:
            log.info("The supergraph was taken up")


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
