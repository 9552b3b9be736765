"""Tuning of the garbage collector for a server: short collections, and full ones while it is idle.

Nearly all objects of requests are freed by reference counting. Refused requests leave cycles, which reach the
oldest generation if a document or an answer was large. A full collection of 200,000 such objects takes some
10 ms; but it also visits what is alive, and that takes 200 ms while large answers are made. So subgraphs
collect whenever they are answering no request, and otherwise only after very many allocations.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

_THRESHOLDS: Final = (2_000, 10, 10)
_THRESHOLD_WHILE_BUSY: Final = 300
_CHECK_SECONDS: Final = 0.25


def tune_garbage_collector() -> None:
    """Exempt all existing objects, above all the schema, from later collections, and set the thresholds."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)


_requests: set[object] = set()


@contextmanager
def delay_collections() -> Iterator[None]:
    """Delay full collections while a request is answered: from its parsing until the answer is serialised."""
    request = object()
    _requests.add(request)
    try:
        yield
    finally:
        _requests.discard(request)


@asynccontextmanager
async def collect_when_idle() -> AsyncIterator[None]:
    """Make full collections when no request is being answered, instead of after a number of others."""
    before = gc.get_threshold()
    gc.set_threshold(*before[:2], _THRESHOLD_WHILE_BUSY)
    collecting = asyncio.create_task(_collect())
    try:
        yield
    finally:
        collecting.cancel()
        gc.set_threshold(*before)


async def _collect() -> None:
    while True:
        await asyncio.sleep(_CHECK_SECONDS)
        if not _requests and gc.get_count()[2] >= _THRESHOLDS[2]:
            gc.collect()
