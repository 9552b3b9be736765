"""The supergraph of the library, a small federated graph for tests, and waiting for conditions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

SUPERGRAPH = Path(__file__).parent / "library.graphql"


async def wait_until(condition: Callable[[], bool]) -> None:
    """Waits for a condition to become true."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event to await
            await asyncio.sleep(0.005)
